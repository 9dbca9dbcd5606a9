//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestPoolsClose(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		if err := p.Join(poolCtx(t)); !errors.Is(err, mp.ErrOpen) {
			t.Errorf("Join before Close: %v", err)
		}
		var rs []*mp.Result[int]
		for i := range 300 {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformDouble, i))
		}
		for range 2 {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		for name, err := range everyCall(poolCtx(t), p, conformTask, []conformIn{{}}) {
			if !errors.Is(err, mp.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		if err := p.Resize(3); !errors.Is(err, mp.ErrClosed) {
			t.Errorf("Resize after Close: %v", err)
		}
		for range 2 {
			if err := p.Join(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
		for i, r := range rs {
			if v, err := r.Get(poolCtx(t)); !r.Ready() || v != 2*i || err != nil {
				t.Errorf("%d: %d, %v", i, v, err)
			}
		}
		if st := p.Stats(); len(st.Workers) != 0 || st.Done != 300 {
			t.Errorf("%+v", st)
		}
		p.Terminate()
	})
}

// A closed pool whose ctx ends is terminated by Shutdown, and left alone by Join.
func TestPoolsShutdown(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		r := mp.MapAsync(poolCtx(t), p, conformDouble, upTo(1000))
		if err := p.Shutdown(poolCtx(t)); err != nil || !r.Ready() || r.Err() != nil {
			t.Error(err, r.Err())
		}
		p = make(mp.PoolConfig{Workers: 2})
		g := newGate(t)
		hangs := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("deaf", 1))
		g.begun(t)
		p.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := p.Join(ctx); err != context.DeadlineExceeded || hangs.Ready() {
			t.Error(err, hangs.Err())
		}
		ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := p.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if _, err := hangs.Get(poolCtx(t)); !errors.Is(err, mp.ErrTerminated) {
			t.Error(err)
		}
	})
}

// Terminate ends a pool at once, with whatever waits and runs.
func TestPoolsTerminate(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		g := newGate(t)
		running := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("deaf", 1))
		var rs []*mp.Result[int]
		for range 10_000 {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1)))
		}
		g.begun(t)
		began := time.Now()
		p.Terminate()
		if took := time.Since(began); took > testkit.Within(time.Second) {
			t.Errorf("after %v", took)
		}
		if n := len(p.Stats().Workers); n != 0 {
			t.Errorf("%d workers", n)
		}
		for _, r := range append(rs, running) {
			if _, err := r.Get(poolCtx(t)); !errors.Is(err, mp.ErrTerminated) {
				t.Fatal(err)
			}
		}
		for name, err := range everyCall(poolCtx(t), p, conformTask, []conformIn{{}}) {
			if !errors.Is(err, mp.ErrTerminated) {
				t.Errorf("%s after Terminate: %v", name, err)
			}
		}
		if err := p.Join(poolCtx(t)); err != nil {
			t.Error(err)
		}
		p.Terminate()
	})
}

// Pools that are ended from several sides at once.
func TestPoolsEndAtOnce(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		for range testkit.Times(5, 50) {
			p := make(mp.PoolConfig{Workers: 2})
			var submits sync.WaitGroup
			for range 4 {
				submits.Go(func() {
					for range 100 {
						if _, err := mp.Apply(poolCtx(t), p, conformDouble, 1); err != nil {
							if !errors.Is(err, mp.ErrClosed) && !errors.Is(err, mp.ErrTerminated) {
								t.Error(err)
							}
							return
						}
					}
				})
			}
			submits.Go(func() { p.Close() })
			submits.Go(func() { p.Shutdown(poolCtx(t)) })
			submits.Go(func() { p.Resize(3) })
			submits.Go(p.Terminate)
			submits.Go(func() { p.Stats() })
			submits.Wait()
			if err := p.Join(poolCtx(t)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestPoolsResize(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1})
		for _, n := range []int{4, 2, 5, 1} {
			r := mp.MapAsync(poolCtx(t), p, conformDouble, upTo(2000))
			if err := p.Resize(n); err != nil {
				t.Error(err)
			}
			if out, err := r.Get(poolCtx(t)); err != nil || !slices.Equal(out, doubles(2000)) {
				t.Error(err)
			}
			testkit.Until(t, fmt.Sprintf("%d workers", n), func() bool { return len(p.Stats().Workers) == n })
		}
		// As many tasks run at once as there are workers.
		if err := p.Resize(3); err != nil {
			t.Error(err)
		}
		g := []gate{newGate(t), newGate(t), newGate(t)}
		var rs []*mp.Result[int]
		for i := range g {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformTask, g[i].task("", i)))
		}
		for i := range g {
			g[i].begun(t)
		}
		if st := p.Stats(); st.Running != 3 || len(st.Workers) != 3 || st.Workers[0].State != mp.WorkerBusy || st.Workers[0].Busy <= 0 {
			t.Errorf("%+v", st)
		}
		for i := range g {
			g[i].open(t)
			if v, err := rs[i].Get(poolCtx(t)); v != i || err != nil {
				t.Error(v, err)
			}
		}
	})
}
