//go:build unix

package pool_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// What Python's tests say of AsyncResult and Future.

func TestPoolsResultStates(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1, Grace: 20 * time.Millisecond})
		g := newGate(t)
		running := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task("", 1))
		queued := mp.ApplyAsync(poolCtx(t), p, conformDouble, 1)
		g.begun(t)
		for _, r := range []*mp.Result[int]{running, queued} {
			if r.Ready() || r.Err() != nil {
				t.Error("ready")
			}
			select {
			case <-r.Done():
				t.Error("done")
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
			if _, err := r.Get(ctx); err != context.DeadlineExceeded || r.Ready() {
				t.Error(err)
			}
			cancel()
			if _, err := r.Get(ctx); err != context.DeadlineExceeded {
				t.Error(err)
			}
		}
		g.open(t)
		for _, r := range []*mp.Result[int]{running, queued} {
			<-r.Done()
			if !r.Ready() || r.Err() != nil {
				t.Error(r.Err())
			}
		}
		failed := mp.ApplyAsync(poolCtx(t), p, conformTask, conformIn{How: "fails"})
		if _, err := failed.Get(poolCtx(t)); !errors.Is(err, errConform) || failed.Err() != err {
			t.Error(err)
		}
	})
}

// Cancel drops what waits, stops what runs, and changes nothing that is done.
func TestPoolsCancel(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1, Grace: 20 * time.Millisecond})
		for _, how := range []string{"", "deaf"} {
			g := newGate(t)
			running := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task(how, 1))
			g.begun(t)
			queued := mp.ApplyAsync(poolCtx(t), p, conformTask, newGate(t).task("", 1))
			list := mp.MapAsync(poolCtx(t), p, conformTask, []conformIn{newGate(t).task("", 1), {}})
			next := mp.ApplyAsync(poolCtx(t), p, conformDouble, 4)
			var told atomic.Int64
			running.OnDone(func(v int, err error) {
				if v == 0 && errors.Is(err, mp.ErrCancelled) {
					told.Add(1)
				}
			})
			for range 2 {
				queued.Cancel()
				list.Cancel()
				running.Cancel()
			}
			for _, err := range []error{running.Err(), queued.Err(), list.Err()} {
				if !errors.Is(err, mp.ErrCancelled) {
					t.Error(err)
				}
			}
			if v, err := next.Get(poolCtx(t)); v != 8 || err != nil {
				t.Error(v, err)
			}
			next.Cancel()
			if v, err := next.Get(poolCtx(t)); v != 8 || err != nil {
				t.Error(v, err)
			}
			testkit.Until(t, "the callback was called", func() bool { return told.Load() == 1 })
		}
	})
}

// Callbacks are called once each, one after another, in their order, all before Join returns.
func TestPoolsOnDone(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		var inside atomic.Int64
		calls := map[int][]int{}
		for i := range 200 {
			in := conformIn{N: i}
			if i%10 == 3 {
				in.How = "fails"
			}
			r := mp.ApplyAsync(poolCtx(t), p, conformTask, in)
			if i%4 == 0 {
				r.Get(poolCtx(t)) // it is done when they come
			}
			for k := range 3 {
				r.OnDone(func(v int, err error) {
					if inside.Add(1) != 1 {
						t.Error("two at once")
					}
					defer inside.Add(-1)
					if (err != nil) != (i%10 == 3) || err == nil && v != i {
						t.Errorf("%d: %d, %v", i, v, err)
					}
					calls[i] = append(calls[i], k)
				})
			}
		}
		list := 0
		mp.MapAsync(poolCtx(t), p, conformDouble, upTo(10)).OnDone(func(out []int, err error) { list = len(out) })
		var inCallback error
		mp.ApplyAsync(poolCtx(t), p, conformDouble, 1).OnDone(func(int, error) {
			ctx, cancel := context.WithTimeout(poolCtx(t), time.Millisecond)
			defer cancel()
			inCallback = p.Join(ctx) // of itself: it ends with its ctx
		})
		p.Close()
		if err := p.Join(poolCtx(t)); err != nil {
			t.Error(err)
		}
		for i := range 200 {
			if !slices.Equal(calls[i], []int{0, 1, 2}) {
				t.Errorf("%d: %v", i, calls[i])
			}
		}
		if list != 10 || !errors.Is(inCallback, context.DeadlineExceeded) && !errors.Is(inCallback, mp.ErrOpen) {
			t.Errorf("%d, %v", list, inCallback)
		}
	})
}

func TestPoolsAsCompleted(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		g := []gate{newGate(t), newGate(t)}
		rs := []*mp.Result[int]{
			mp.ApplyAsync(poolCtx(t), p, conformTask, g[0].task("", 0)),
			mp.ApplyAsync(poolCtx(t), p, conformTask, g[1].task("fails", 1)),
		}
		rs = append(rs, rs[0]) // the same one again
		g[1].open(t)
		var order []int
		for i, r := range mp.AsCompleted(poolCtx(t), rs...) {
			if order = append(order, i); !r.Ready() || r != rs[i] {
				t.Errorf("%d is not ready", i)
			}
			if i == 1 {
				g[0].open(t)
			}
		}
		if len(order) != 3 || order[0] != 1 {
			t.Errorf("%v", order)
		}
		for range mp.AsCompleted[int](poolCtx(t)) {
			t.Error("none")
		}
		hangs := newGate(t)
		r := mp.ApplyAsync(poolCtx(t), p, conformTask, hangs.task("", 0))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		for i := range mp.AsCompleted(ctx, r, rs[0]) {
			if i != 1 {
				t.Errorf("%d", i)
			}
		}
		for range mp.AsCompleted(poolCtx(t), rs...) {
			break
		}
		hangs.open(t)
		if _, err := r.Get(poolCtx(t)); err != nil {
			t.Error(err)
		}
	})
}

func TestPoolsWait(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 4, Grace: 20 * time.Millisecond})
		type waits struct{ done, pending int }
		check := func(what string, when mp.WaitFor, want waits, rs ...*mp.Result[int]) {
			t.Helper()
			done, pending := mp.Wait(poolCtx(t), when, rs...)
			if got := (waits{len(done), len(pending)}); got != want {
				t.Errorf("%s: %+v, not %+v", what, got, want)
			}
		}
		run := func(how string) (*mp.Result[int], gate) {
			g := newGate(t)
			r := mp.ApplyAsync(poolCtx(t), p, conformTask, g.task(how, 1))
			return r, g
		}
		good, gg := run("")
		bad, bg := run("fails")
		slow, sg := run("")
		gone, _ := run("")
		gg.open(t)
		check("the first", mp.FirstDone, waits{1, 3}, good, bad, slow, gone)
		check("one is done already", mp.FirstDone, waits{1, 2}, bad, good, slow)
		gone.Cancel()
		bg.open(t)
		check("the first error: cancelled is none", mp.FirstError, waits{3, 1}, gone, good, bad, slow)
		check("it has failed already", mp.FirstError, waits{1, 1}, bad, slow)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		if done, pending := mp.Wait(ctx, mp.AllDone, good, bad, slow); len(done) != 2 || len(pending) != 1 || pending[0] != slow {
			t.Errorf("%d, %d", len(done), len(pending))
		}
		sg.open(t)
		check("all", mp.AllDone, waits{4, 0}, good, bad, slow, gone)
		check("twice", mp.AllDone, waits{3, 0}, slow, slow, good)
		check("no error", mp.FirstError, waits{2, 0}, good, slow)
		check("none", mp.AllDone, waits{})
	})
}

// Many goroutines wait for many Results while tasks end: none of them hangs.
func TestPoolsWaitRaces(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 4})
		for range testkit.Times(10, 200) {
			var rs []*mp.Result[int]
			for i := range 100 {
				rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformDouble, i))
			}
			var waiters sync.WaitGroup
			for k := range 6 {
				waiters.Go(func() {
					done, pending := mp.Wait(poolCtx(t), mp.WaitFor(k%3), rs...)
					if len(done)+len(pending) != 100 || len(done) == 0 || k%3 == 0 && len(pending) > 0 {
						t.Errorf("%d, %d", len(done), len(pending))
					}
				})
			}
			for _, r := range rs {
				r.Cancel()
			}
			waiters.Wait()
		}
	})
}

// A Result outlives its pool.
func TestPoolsResultsAfterTheEnd(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		r := mp.ApplyAsync(poolCtx(t), p, conformDouble, 4)
		if err := p.Shutdown(poolCtx(t)); err != nil {
			t.Error(err)
		}
		r.Cancel()
		var called atomic.Int64
		r.OnDone(func(v int, _ error) { called.Store(int64(v)) })
		testkit.Until(t, "the callback was called", func() bool { return called.Load() == 8 })
		if v, err := r.Get(poolCtx(t)); v != 8 || err != nil {
			t.Error(v, err)
		}
		late := mp.ApplyAsync(poolCtx(t), p, conformDouble, 4)
		if !late.Ready() || !errors.Is(late.Err(), mp.ErrClosed) {
			t.Error(late.Err())
		}
		late.Cancel()
		for range mp.AsCompleted(poolCtx(t), r, late) {
		}
	})
}
