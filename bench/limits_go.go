package main

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// chanBuffer is how many items the channels hold that are beside a queue.
const chanBuffer = 1024

func limitChan11(_ context.Context, n int) (figures, error) { return chanRate(n, 1) }

func limitChan22(_ context.Context, n int) (figures, error) { return chanRate(n, 2) }

// chanRate is how many ints a second go through a channel, from so many goroutines
// to as many.
func chanRate(n, pairs int) (figures, error) {
	c := make(chan int, chanBuffer)
	var took taking
	var wg sync.WaitGroup
	each, warm := n/pairs, n/10/pairs
	for range pairs {
		wg.Go(func() {
			for i := range warm + each {
				c <- i
			}
		})
		wg.Go(func() {
			for range warm {
				<-c
			}
			begun := time.Now()
			for range each {
				<-c
			}
			took.add(taken{begun.UnixNano(), time.Now().UnixNano()})
		})
	}
	wg.Wait()
	return took.rate(each * pairs), nil
}

// limitChan64K copies 64 KiB into a buffer, sends that, and copies it into memory of its
// own: nobody shares what was sent, as with a queue between processes.
func limitChan64K(_ context.Context, n int) (figures, error) {
	full, free := make(chan []byte, queue64K), make(chan []byte, queue64K)
	for range cap(free) {
		free <- make([]byte, bigItem)
	}
	in := make([]byte, bigItem)
	warm := n / 10
	go func() {
		for range warm + n {
			b := <-free
			copy(b, in)
			full <- b
		}
	}()
	get := func(n int) {
		for range n {
			b := <-full
			runtime.KeepAlive(slices.Clone(b))
			free <- b
		}
	}
	get(warm)
	begun := time.Now()
	get(n)
	return figures{"rate": float64(n) / time.Since(begun).Seconds()}, nil
}

// limitChanTrip is an int to another goroutine and back.
func limitChanTrip(ctx context.Context, n int) (figures, error) {
	there, back := make(chan int), make(chan int)
	defer close(there)
	go func() {
		for i := range there {
			back <- i
		}
	}()
	return roundTrips(n, func(i int) (int, error) {
		there <- i
		return <-back, nil
	})
}

func limitMutex(_ context.Context, n int) (figures, error) {
	mu := new(sync.Mutex)
	return perOp(n, func(n int) error {
		for range n {
			mu.Lock()
			mu.Unlock() //lint:ignore SA2001 the lock itself is measured
		}
		return nil
	})
}

func limitMutexIncrement(_ context.Context, n int) (figures, error) {
	guarded := new(struct {
		sync.Mutex
		v int64
	})
	return perOp(n, func(n int) error {
		for range n {
			guarded.Lock()
			guarded.v++
			guarded.Unlock()
		}
		return nil
	})
}

func limitAtomic(_ context.Context, n int) (figures, error) {
	v := new(atomic.Int64)
	return perOp(n, func(n int) error {
		for range n {
			v.Add(1)
		}
		return nil
	})
}
