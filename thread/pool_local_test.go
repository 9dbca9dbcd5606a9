package thread_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

func TestPoolInitSetsWhatTheTasksOfAWorkerFind(t *testing.T) {
	t.Parallel()
	local := thread.NewLocal[int64](nil)
	var inits atomic.Int64
	prepare := thread.Func(func(ctx context.Context, _ mp.None) (mp.None, error) {
		local.Set(ctx, inits.Add(1))
		return mp.None{}, nil
	})
	p := newPool(t, mp.PoolConfig{Workers: 3, Init: mp.Bind(prepare, mp.None{})})
	var of [4]atomic.Int64 // each worker's
	find := thread.Func(func(ctx context.Context, _ int) (int64, error) {
		task, ok := mp.CurrentTask(ctx)
		v := local.Get(ctx)
		if !ok || v < 1 || v > 3 {
			return 0, errors.New("no worker's value")
		}
		if was := of[task.Worker].Swap(v); was != 0 && was != v {
			return 0, errors.New("another worker's value")
		}
		return v, nil
	})
	if _, err := mp.Map(t.Context(), p, find, make([]int, 1000), mp.Chunk(1)); err != nil {
		t.Error(err)
	}
	if n := inits.Load(); n != 3 {
		t.Errorf("Init ran %d times", n)
	}
	if v := local.Get(t.Context()); v != 0 {
		t.Error("MainThread has", v)
	}
}

func TestPoolWorkerMakesItsValueOnce(t *testing.T) {
	t.Parallel()
	var made atomic.Int64
	local := thread.NewLocal(func() int64 { return made.Add(1) })
	p := newPool(t, mp.PoolConfig{Workers: 2})
	get := thread.Func(func(ctx context.Context, _ int) (int64, error) { return local.Get(ctx), nil })
	if _, err := mp.Map(t.Context(), p, get, make([]int, 1000), mp.Chunk(1)); err != nil {
		t.Error(err)
	}
	if n := made.Load(); n < 1 || n > 2 {
		t.Errorf("%d values of 2 workers", n)
	}
}

// What a task waits for runs in its place, and finds what is kept there.
func TestPoolGuestFindsTheValueOfItsHost(t *testing.T) {
	t.Parallel()
	local := thread.NewLocal[string](nil)
	p := newPool(t, mp.PoolConfig{Workers: 1})
	inner := thread.Func(func(ctx context.Context, _ mp.None) (string, error) { return local.Get(ctx), nil })
	outer := thread.Func(func(ctx context.Context, _ mp.None) (string, error) {
		local.Set(ctx, "the host's")
		return mp.Apply(ctx, p, inner, mp.None{})
	})
	for range 3 {
		if got, err := mp.Apply(t.Context(), p, outer, mp.None{}); err != nil || got != "the host's" {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestPoolWorkerTakesItsValueAlong(t *testing.T) {
	t.Parallel()
	local := thread.NewLocal[*[1 << 16]byte](nil)
	gone := make(chan struct{}, 3)
	p := newPool(t, mp.PoolConfig{Workers: 1, TasksPerWorker: 1})
	set := thread.Func(func(ctx context.Context, _ int) (bool, error) {
		had := local.Get(ctx) != nil
		v := new([1 << 16]byte)
		runtime.AddCleanup(v, func(gone chan struct{}) { gone <- struct{}{} }, gone)
		local.Set(ctx, v)
		return had, nil
	})
	for range 3 {
		if had, err := mp.Apply(t.Context(), p, set, 1); err != nil || had {
			t.Error("a new worker has the value of the one before:", had, err)
		}
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < 3; {
		runtime.GC()
		select {
		case <-gone:
			n++
		case <-t.Context().Done():
			t.Fatal("it is kept")
		default:
			runtime.Gosched()
		}
	}
	runtime.KeepAlive(local)
}
