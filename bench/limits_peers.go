package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alitto/pond/v2"
	"github.com/sourcegraph/conc/iter"
	"golang.org/x/sync/errgroup"
)

// limitConc is Map over a list of integers as conc does it.
func limitConc(_ context.Context, n int) (figures, error) {
	inputs := ints(n)
	m := iter.Mapper[int, int]{MaxGoroutines: workers}
	return repeated(n, func() (time.Duration, error) {
		begun := time.Now()
		out := m.Map(inputs, func(n *int) int { return *n + 1 })
		return time.Since(begun), check(out[n-1], n, nil)
	})
}

// limitErrgroup is the same with a goroutine for each.
func limitErrgroup(_ context.Context, n int) (figures, error) {
	inputs := ints(n)
	return repeated(n, func() (time.Duration, error) {
		begun := time.Now()
		out := make([]int, n)
		var g errgroup.Group
		g.SetLimit(workers)
		for i, v := range inputs {
			g.Go(func() error {
				out[i] = v + 1
				return nil
			})
		}
		err := g.Wait()
		return time.Since(begun), check(out[n-1], n, err)
	})
}

// handChunk is how many are taken at a time by those who do it by hand.
const handChunk = 64

// limitChunks is the same by hand: the least that it can cost.
func limitChunks(_ context.Context, n int) (figures, error) {
	inputs := ints(n)
	return repeated(n, func() (time.Duration, error) {
		begun := time.Now()
		out := make([]int, n)
		var next atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for {
					from := int(next.Add(handChunk)) - handChunk
					if from >= n {
						return
					}
					for i := from; i < min(from+handChunk, n); i++ {
						out[i] = inputs[i] + 1
					}
				}
			})
		}
		wg.Wait()
		return time.Since(begun), check(out[n-1], n, nil)
	})
}

// limitPond is many tasks submitted to a pool of pond's, then all of their results taken.
func limitPond(_ context.Context, n int) (figures, error) {
	p := pond.NewResultPool[int](workers)
	defer p.StopAndWait()
	return repeated(n, func() (time.Duration, error) {
		begun := time.Now()
		results := make([]pond.ResultTask[int], n)
		for i := range results {
			results[i] = p.SubmitErr(func() (int, error) { return i + 1, nil })
		}
		total := 0
		for _, r := range results {
			out, err := r.Wait()
			if err != nil {
				return 0, err
			}
			total += out
		}
		return time.Since(begun), check(total, n*(n+1)/2, nil)
	})
}
