//go:build unix

package pool_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// ApplyAsync and MapAsync wait for room; what waits for its outcome anyway does not.
func TestPoolsMaxQueued(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1, MaxQueued: 3, Grace: 10 * time.Millisecond})
		g := newGate(t)
		running := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		g.begun(t)
		var rs []*mp.Result[int]
		for i := range 3 {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformDouble, i))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := mp.ApplyAsync(ctx, p, conformDouble, 1).Err(); err != context.DeadlineExceeded {
			t.Error(err)
		}
		ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := mp.MapAsync(ctx, p, conformDouble, upTo(5)).Err(); err != context.DeadlineExceeded {
			t.Error(err)
		}
		more := later(func() *mp.Result[int] { return mp.ApplyAsync(context.Background(), p, conformDouble, 4) })
		waits := later(func() error { _, err := mp.Apply(poolCtx(t), p, conformDouble, 4); return err })
		g.open(t)
		if v, err := (<-more).Get(poolCtx(t)); v != 8 || err != nil {
			t.Error(v, err)
		}
		if err := <-waits; err != nil {
			t.Error(err)
		}
		for _, r := range append(rs, running) {
			if _, err := r.Get(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
		// Those that wait for room are let go when the pool ends.
		g = newGate(t)
		mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		g.begun(t)
		for range 3 {
			mp.ApplyAsync(poolCtx(t), p, conformDouble, 1)
		}
		refused := later(func() error { return mp.ApplyAsync(context.Background(), p, conformDouble, 4).Err() })
		p.Terminate()
		if err := <-refused; err != nil && !errors.Is(err, mp.ErrTerminated) {
			t.Error(err)
		}
	})
}

// later has f called on another goroutine, and gives what it returns.
func later[T any](f func() T) <-chan T {
	c := make(chan T, 1)
	go func() { c <- f() }()
	return c
}

// Higher priorities first, equal ones as they came.
func TestPoolsPriority(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1})
		g := newGate(t)
		first := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 0))
		g.begun(t)
		var mu sync.Mutex
		var order []int
		for i := range 30 {
			mp.ApplyAsync(poolCtx(t), p, conformDouble, i, mp.Priority(i%3)).OnDone(func(v int, _ error) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, v/2)
			})
		}
		g.open(t)
		p.Close()
		if err := p.Join(poolCtx(t)); err != nil || first.Err() != nil {
			t.Fatal(err, first.Err())
		}
		want := upTo(30)
		slices.SortStableFunc(want, func(a, b int) int { return b%3 - a%3 })
		if !slices.Equal(order, want) {
			t.Errorf("%v", order)
		}
	})
}
