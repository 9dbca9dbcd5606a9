//go:build unix

package pool_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

func TestTryCancelOfWhatWaits(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p, g, ctx := make(mp.PoolConfig{Workers: 1}), newGate(t), context.Background()
		runs := mp.ApplyAsync(ctx, p, conformTask, g.task("", 1))
		g.begun(t)
		var waiting []*mp.Result[int]
		for range 20 {
			waiting = append(waiting, mp.ApplyAsync(ctx, p, conformTask, conformIn{N: 2}))
		}
		if !runs.Running() || runs.TryCancel() {
			t.Error("what runs was cancelled")
		}
		for i, r := range waiting[:10] {
			if r.Running() || !r.TryCancel() || !errors.Is(r.Err(), mp.ErrCancelled) {
				t.Errorf("task %d, which waits, was not cancelled: %v", i, r.Err())
			}
			if r.TryCancel() {
				t.Errorf("task %d was cancelled twice", i)
			}
		}
		g.open(t)
		for i, r := range append(waiting[10:], runs) {
			if v, err := r.Get(poolCtx(t)); err != nil || i < 10 && v != 2 {
				t.Errorf("task %d, which was not cancelled: %v, %v", i, v, err)
			}
			if r.Running() || r.TryCancel() {
				t.Errorf("task %d is done, and runs or was cancelled", i)
			}
		}
	})
}

// What has been sent ahead to a worker has not begun.
func TestTryCancelOfMapAsync(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p, g, ctx := make(mp.PoolConfig{Workers: 1}), newGate(t), context.Background()
		warm := mp.MapAsync(ctx, p, conformDouble, []int{1, 2, 3}) // its time is known then
		if _, err := warm.Get(poolCtx(t)); err != nil || warm.TryCancel() {
			t.Error(err)
		}
		runs := mp.MapAsync(ctx, p, conformTask, []conformIn{g.task("", 1), {N: 5}, {N: 6}}, mp.Chunk(3))
		g.begun(t)
		queued := mp.MapAsync(ctx, p, conformDouble, []int{1, 2, 3})
		if runs.TryCancel() || !runs.Running() {
			t.Error("a Map was cancelled of which one task runs")
		}
		if !queued.TryCancel() {
			t.Error("a Map that waits was not cancelled")
		}
		g.open(t)
		if v, err := runs.Get(poolCtx(t)); err != nil || v[1] != 5 || v[2] != 6 {
			t.Errorf("what a failed TryCancel took back is not done: %v, %v", v, err)
		}
		if none := mp.MapAsync(ctx, p, conformDouble, nil); none.TryCancel() {
			t.Error("nothing was cancelled")
		}
	})
}

// A task that waits for its second attempt has begun.
func TestTryCancelBetweenAttempts(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		retried := newPulse()
		p := make(mp.PoolConfig{Workers: 1, Events: func(e mp.PoolEvent) {
			if e.Kind == mp.TaskRetried {
				retried.set()
			}
		}})
		r := mp.ApplyAsync(context.Background(), p, conformTask, conformIn{How: "fails"}, mp.Retries(1, mp.Backoff{Min: time.Hour, Max: time.Hour}))
		<-retried.done
		if r.Running() || r.TryCancel() || r.Ready() {
			t.Error("it was cancelled after its first attempt")
		}
		r.Cancel()
		if !errors.Is(r.Err(), mp.ErrCancelled) {
			t.Error(r.Err())
		}
	})
}

// Whatever the instant, TryCancel tells the truth: a task that was cancelled has not run.
func TestTryCancelIsExact(t *testing.T) {
	t.Parallel()
	var began atomic.Int64
	count := thread.Func(func(context.Context, int) (mp.None, error) {
		began.Add(1)
		return mp.None{}, nil
	})
	other := thread.Func(func(context.Context, int) (mp.None, error) { return mp.None{}, nil })
	p := made(t, poolKinds["goroutines"], mp.PoolConfig{Workers: 2})
	n, cancelled := int64(testkit.Times(20_000, 500_000)), int64(0)
	for i := range n {
		r := mp.ApplyAsync(context.Background(), p, count, 0)
		if i%2 == 0 {
			mp.ApplyAsync(context.Background(), p, other, 0) // has company in its batch
		}
		if r.TryCancel() {
			cancelled++
		}
	}
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Fatal(err)
	}
	if cancelled == 0 || began.Load() != n-cancelled {
		t.Errorf("%d of %d were cancelled, and %d ran", cancelled, n, began.Load())
	}
}

// What only looks does so before it looks at its ctx.
func TestLooksBeforeTheCtx(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1})
		r := mp.ApplyAsync(context.Background(), p, conformDouble, 4)
		<-r.Done()
		for range 100 { // each time: it is no matter of luck
			if v, err := r.Get(testkit.Cancelled()); v != 8 || err != nil {
				t.Fatalf("Get: %v, %v", v, err)
			}
			if ready, err := mp.Select(testkit.Cancelled(), r); len(ready) != 1 || err != nil {
				t.Fatalf("Select: %v, %v", ready, err)
			}
		}
		p.Close()
		if err := p.Join(poolCtx(t)); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if err := p.Join(testkit.Cancelled()); err != nil {
				t.Fatalf("Join of a pool that has ended: %v", err)
			}
		}
		if _, err := mp.Apply(testkit.Cancelled(), p, conformDouble, 4); !errors.Is(err, context.Canceled) {
			t.Errorf("Apply takes something: %v", err)
		}
	})
}

func TestLooksBeforeTheCtxAtProcesses(t *testing.T) {
	t.Parallel()
	p, err := mp.Start(testkit.Ctx(t), conformDouble, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(testkit.Ctx(t)); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := p.Join(testkit.Cancelled()); err != nil {
			t.Fatalf("Join of a process that has ended: %v", err)
		}
		if ready, err := mp.Select(testkit.Cancelled(), p); len(ready) != 1 || err != nil {
			t.Fatalf("Select: %v, %v", ready, err)
		}
	}
}

// pulse is something that happens once.
type pulse struct {
	once atomic.Bool
	done chan struct{}
}

func newPulse() *pulse { return &pulse{done: make(chan struct{})} }

func (s *pulse) set() {
	if s.once.CompareAndSwap(false, true) {
		close(s.done)
	}
}
