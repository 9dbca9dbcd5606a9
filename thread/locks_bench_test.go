package thread_test

import (
	"context"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// BenchmarkLockFree takes and gives back what nobody else wants, beside what Go has for that.
func BenchmarkLockFree(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.Run("mutex", func(b *testing.B) {
		var mu sync.Mutex
		n := 0
		for b.Loop() {
			if ctx.Err() != nil {
				return
			}
			mu.Lock()
			n++
			mu.Unlock()
		}
	})
	b.Run("channel", func(b *testing.B) {
		c := make(chan struct{}, 1)
		for b.Loop() {
			takeChannel(ctx, c)
			<-c
		}
	})
	b.Run("lock", func(b *testing.B) {
		l := must(thread.NewLock())
		for b.Loop() {
			h, _ := l.Acquire(ctx)
			h.Release()
		}
	})
	b.Run("rlock", func(b *testing.B) {
		r := must(thread.NewRLock())
		for b.Loop() {
			_, h, _ := r.Acquire(ctx)
			h.Release()
		}
	})
	b.Run("semaphore", func(b *testing.B) {
		s := must(thread.NewSemaphore(1))
		for b.Loop() {
			h, _ := s.Acquire(ctx)
			h.Release()
		}
	})
	b.Run("value", func(b *testing.B) {
		v := must(thread.NewValue(0))
		for b.Loop() {
			v.Update(ctx, func(n *int) { *n++ })
		}
	})
}

func takeChannel(ctx context.Context, c chan struct{}) {
	select {
	case c <- struct{}{}:
	case <-ctx.Done():
	}
}

// BenchmarkLockWanted has several goroutines count under one lock.
func BenchmarkLockWanted(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	b.Run("mutex", func(b *testing.B) {
		var mu sync.Mutex
		manyOf(b, func() {
			mu.Lock()
			n++
			mu.Unlock()
		})
	})
	b.Run("channel", func(b *testing.B) {
		c := make(chan struct{}, 1)
		manyOf(b, func() {
			takeChannel(ctx, c)
			n++
			<-c
		})
	})
	b.Run("lock", func(b *testing.B) {
		l := must(thread.NewLock())
		manyOf(b, func() {
			h, _ := l.Acquire(ctx)
			n++
			h.Release()
		})
	})
	b.Run("semaphore", func(b *testing.B) {
		s := must(thread.NewSemaphore(1))
		manyOf(b, func() {
			h, _ := s.Acquire(ctx)
			n++
			h.Release()
		})
	})
}

func manyOf(b *testing.B, f func()) {
	b.SetParallelism(8)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			f()
		}
	})
}

// BenchmarkPipe sends ints one way, and to and fro, beside channels.
func BenchmarkPipe(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.Run("oneway/channel", func(b *testing.B) {
		c := make(chan int, 1024)
		go func() {
			for i := range b.N {
				c <- i
			}
		}()
		for range b.N {
			<-c
		}
	})
	b.Run("oneway/pipe", func(b *testing.B) {
		from, to := ends[int]()
		go func() {
			for i := range b.N {
				from.Send(ctx, i)
			}
		}()
		for range b.N {
			to.Recv(ctx)
		}
	})
	b.Run("toandfro/channel", func(b *testing.B) {
		there, back := make(chan int), make(chan int)
		defer close(there)
		go func() {
			for i := range there {
				back <- i
			}
		}()
		for b.Loop() {
			there <- 1
			<-back
		}
	})
	b.Run("toandfro/pipe", func(b *testing.B) {
		here, there := ends[int]()
		defer here.Close()
		go echoPipe(ctx, there)
		for b.Loop() {
			here.Send(ctx, 1)
			here.Recv(ctx)
		}
	})
}

func echoPipe(ctx context.Context, c *mp.Conn[int]) {
	for {
		v, err := c.Recv(ctx)
		if err != nil {
			return
		}
		c.Send(ctx, v)
	}
}
