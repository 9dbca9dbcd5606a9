package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gomultiprocessing/mp"
)

var (
	increment = mp.Register("increment", func(ctx context.Context, n int) (int, error) { return n + 1, nil })
	length    = mp.Register("length", func(ctx context.Context, v []float64) (int, error) { return len(v), nil })
)

// workers is how many workers the pools of both sides have.
const workers = 2

// measureStart is from making a pool of one worker to its first result.
func measureStart(ctx context.Context, n int) (figures, error) {
	var times []float64
	for i := range n + 1 {
		begun := time.Now()
		pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
		if err != nil {
			return nil, err
		}
		out, err := mp.Apply(ctx, pool, increment, i)
		spent := time.Since(begun).Seconds()
		pool.Terminate()
		if err := check(out, i+1, err); err != nil {
			return nil, err
		}
		times = append(times, spent)
	}
	return figures{"start": median(times[1:])}, nil
}

// measureApply is one call at a time.
func measureApply(ctx context.Context, n int) (figures, error) {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		return nil, err
	}
	defer pool.Terminate()
	times := make([]float64, 0, n)
	for i := -n / 10; i < n; i++ {
		begun := time.Now()
		out, err := mp.Apply(ctx, pool, increment, i)
		spent := time.Since(begun).Seconds()
		if err := check(out, i+1, err); err != nil {
			return nil, err
		}
		if i >= 0 {
			times = append(times, spent)
		}
	}
	slices.Sort(times)
	return figures{"p50": times[n/2], "p99": times[n*99/100]}, nil
}

// measureAsync is many calls submitted, then all of their results taken.
func measureAsync(ctx context.Context, n int) (figures, error) {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		return nil, err
	}
	defer pool.Terminate()
	if _, err := asyncOnce(ctx, pool, n); err != nil {
		return nil, err
	}
	spent, err := asyncOnce(ctx, pool, n)
	return figures{"rate": float64(n) / spent.Seconds()}, err
}

func asyncOnce(ctx context.Context, pool *mp.Pool, n int) (time.Duration, error) {
	begun := time.Now()
	results := make([]*mp.Result[int], n)
	for i := range results {
		results[i] = mp.ApplyAsync(ctx, pool, increment, i)
	}
	total := 0
	for _, r := range results {
		out, err := r.Get(ctx)
		if err != nil {
			return 0, err
		}
		total += out
	}
	spent := time.Since(begun)
	return spent, check(total, n*(n+1)/2, nil)
}

// measureMap is a Map over a list of integers.
func measureMap(ctx context.Context, n int) (figures, error) { return mapRate(ctx, n) }

// measureChunk1 is a Map that hands over one task at a time.
func measureChunk1(ctx context.Context, n int) (figures, error) { return mapRate(ctx, n, mp.Chunk(1)) }

func mapRate(ctx context.Context, n int, opts ...mp.TaskOption) (figures, error) {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		return nil, err
	}
	defer pool.Terminate()
	inputs := ints(n)
	if _, err := mapOnce(ctx, pool, inputs, opts...); err != nil {
		return nil, err
	}
	spent, err := mapOnce(ctx, pool, inputs, opts...)
	return figures{"rate": float64(n) / spent.Seconds()}, err
}

func mapOnce(ctx context.Context, pool *mp.Pool, inputs []int, opts ...mp.TaskOption) (time.Duration, error) {
	begun := time.Now()
	outputs, err := mp.Map(ctx, pool, increment, inputs, opts...)
	spent := time.Since(begun)
	if err == nil && len(inputs) > 0 {
		err = check(outputs[len(inputs)-1], len(inputs), nil)
	}
	return spent, err
}

// measureFloats is n float64 as the input of one call that returns their number.
func measureFloats(ctx context.Context, n int) (figures, error) {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: workers})
	if err != nil {
		return nil, err
	}
	defer pool.Terminate()
	data := floats(n)
	var times []float64
	for range 4 {
		begun := time.Now()
		out, err := mp.Apply(ctx, pool, length, data)
		times = append(times, time.Since(begun).Seconds())
		if err := check(out, n, err); err != nil {
			return nil, err
		}
	}
	return figures{"time": median(times[1:])}, nil
}

func ints(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return v
}

func floats(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

func check(got, want int, err error) error {
	if err == nil && got != want {
		return fmt.Errorf("a call returned %d, not %d", got, want)
	}
	return err
}
