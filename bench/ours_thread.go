package main

import (
	"context"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

func measureThreadMap(ctx context.Context, n int) (figures, error) {
	pool, err := thread.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		return nil, err
	}
	defer pool.Terminate()
	inputs := ints(n)
	return repeated(n, func() (time.Duration, error) { return mapOnce(ctx, pool, inputs) })
}

func measureThreadAsync(ctx context.Context, n int) (figures, error) {
	pool, err := thread.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		return nil, err
	}
	defer pool.Terminate()
	return repeated(n, func() (time.Duration, error) { return asyncOnce(ctx, pool, n) })
}

// repetitions of what takes little: their median is the round's figure.
const repetitions = 7

// repeated is the rate of what does n things each time, after a warm-up.
func repeated(n int, once func() (time.Duration, error)) (figures, error) {
	var times []float64
	for i := range repetitions + 1 {
		spent, err := once()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			times = append(times, spent.Seconds())
		}
	}
	return figures{"rate": float64(n) / median(times)}, nil
}

func measureThreadQueue11(ctx context.Context, n int) (figures, error) {
	return threadQueueRate(ctx, n, 1)
}

func measureThreadQueue22(ctx context.Context, n int) (figures, error) {
	return threadQueueRate(ctx, n, 2)
}

// threadQueueRate is chanRate with a queue.
func threadQueueRate(ctx context.Context, n, pairs int) (figures, error) {
	q, err := thread.NewQueue[int](chanBuffer)
	if err != nil {
		return nil, err
	}
	var took taking
	var wg sync.WaitGroup
	errs := make(chan error, 2*pairs)
	each, warm := n/pairs, n/10/pairs
	get := func(n int) error {
		for range n {
			if _, err := q.Get(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	for range pairs {
		wg.Go(func() {
			for i := range warm + each {
				if err := q.Put(ctx, i); err != nil {
					errs <- err
					return
				}
			}
		})
		wg.Go(func() {
			if err := get(warm); err != nil {
				errs <- err
				return
			}
			begun := time.Now()
			if err := get(each); err != nil {
				errs <- err
				return
			}
			took.add(taken{begun.UnixNano(), time.Now().UnixNano()})
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return nil, <-errs
	}
	return took.rate(each * pairs), nil
}
