//go:build unix

package pool_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestResultStates(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 20 * time.Millisecond})
	in := stopIn{How: "asks", File: stopFile(t)}
	r := mp.ApplyAsync(context.Background(), p, stopTask, in)
	queued := mp.ApplyAsync(context.Background(), p, stopTask, stopIn{N: 1})
	stopBegun(t, in)
	if r.Ready() || r.Err() != nil || queued.Ready() {
		t.Error("ready")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := r.Get(ctx); err != context.DeadlineExceeded {
		t.Error(err)
	}
	queued.Cancel()
	queued.Cancel()
	<-queued.Done()
	if _, err := queued.Get(poolCtx(t)); !errors.Is(err, mp.ErrCancelled) {
		t.Error(err)
	}
	r.Cancel()
	if !r.Ready() || !errors.Is(r.Err(), mp.ErrCancelled) {
		t.Error(r.Err())
	}
	good := mp.ApplyAsync(context.Background(), p, stopTask, stopIn{N: 3})
	if v, err := good.Get(poolCtx(t)); v != 3 || err != nil {
		t.Error(v, err)
	}
	good.Cancel()
	if v, err := good.Get(poolCtx(t)); v != 3 || err != nil {
		t.Error("cancelled after it was done:", v, err)
	}
}

func TestResultCallbacks(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	var in atomic.Int64
	var mu sync.Mutex
	calls := make(map[int]int)
	var order []int
	for i := range 300 {
		r := mp.ApplyAsync(context.Background(), p, poolValuesInt, i)
		for k := range 2 {
			r.OnDone(func(v int, err error) {
				if in.Add(1) != 1 {
					t.Error("two callbacks at once")
				}
				mu.Lock()
				calls[i]++
				if i == 100 {
					order = append(order, k)
				}
				mu.Unlock()
				if v != -i || err != nil {
					t.Errorf("%d: %v, %v", i, v, err)
				}
				in.Add(-1)
			})
		}
	}
	p.Close()
	if err := p.Join(poolCtx(t)); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if calls[i] != 2 {
			t.Errorf("result %d: %d calls", i, calls[i])
		}
	}
	if !slices.Equal(order, []int{0, 1}) {
		t.Errorf("order %v", order)
	}
}

func TestResultCallbackPanics(t *testing.T) {
	t.Parallel()
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	joined := make(chan error, 1)
	r := mp.ApplyAsync(context.Background(), p, poolValuesInt, 1)
	r.OnDone(func(int, error) { panic("callback") })
	r.OnDone(func(int, error) {
		p.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		joined <- p.Join(ctx) // it waits for this callback
		p.Terminate()
	})
	if err := <-joined; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Join in a callback: %v", err)
	}
	if err := p.Join(poolCtx(t)); err == nil || !strings.Contains(err.Error(), "callback") {
		t.Errorf("Join: %v", err)
	}
}

func TestResultAsCompletedAndWait(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2, Grace: 20 * time.Millisecond})
	ctx := poolCtx(t)
	slow := mp.ApplyAsync(ctx, p, stopTask, stopIn{How: "waits", For: time.Hour})
	quick := mp.ApplyAsync(ctx, p, stopTask, stopIn{N: 1})
	done, pending := mp.Wait(ctx, mp.FirstDone, slow, quick)
	if len(done) != 1 || done[0] != quick || len(pending) != 1 || pending[0] != slow {
		t.Errorf("FirstDone: %d, %d", len(done), len(pending))
	}
	bad := mp.ApplyAsync(ctx, p, stopTask, stopIn{File: "/does/not/exist"})
	gone := mp.ApplyAsync(ctx, p, stopTask, stopIn{How: "waits", For: time.Hour})
	gone.Cancel() // is no error that FirstError waits for
	done, pending = mp.Wait(ctx, mp.FirstError, slow, quick, gone, bad)
	if len(done) != 3 || !slices.Contains(done, bad) || len(pending) != 1 {
		t.Errorf("FirstError: %d, %d", len(done), len(pending))
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if done, pending = mp.Wait(short, mp.AllDone, slow, quick); len(done) != 1 || len(pending) != 1 {
		t.Errorf("AllDone with an end: %d, %d", len(done), len(pending))
	}
	var order []int
	for i, r := range mp.AsCompleted(ctx, slow, quick, bad, gone, quick) {
		if !r.Ready() {
			t.Errorf("%d is not done", i)
		}
		if order = append(order, i); len(order) == 4 {
			slow.Cancel()
		}
	}
	if len(order) != 5 || order[4] != 0 {
		t.Errorf("order %v", order)
	}
	if done, pending = mp.Wait(ctx, mp.AllDone, slow, quick, bad, gone); len(done) != 4 || len(pending) != 0 {
		t.Errorf("AllDone: %d, %d", len(done), len(pending))
	}
	if done, pending = mp.Wait[int](ctx, mp.AllDone); len(done)+len(pending) != 0 {
		t.Error("none")
	}
}

// A ctx that ends while ApplyAsync submits cancels the task, at whatever instant.
func TestResultCtxEndsDuringSubmit(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 10 * time.Millisecond})
	for range testkit.Times(300, 20000) {
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		r := mp.ApplyAsync(ctx, p, stopTask, stopIn{How: "asks"})
		if _, err := r.Get(poolCtx(t)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}
