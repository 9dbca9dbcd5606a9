//go:build linux

package process_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

var bubbleWait = mp.Register("bubble wait", func(ctx context.Context, _ mp.None) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
})

// TestStartInsideABubble: an error, whether or not something else keeps a process meanwhile, and
// whoever starts the next process outside.
func TestStartInsideABubble(t *testing.T) {
	for _, kept := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		var p *mp.Process
		if kept {
			var err error
			if p, err = mp.Start(ctx, bubbleWait, mp.None{}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err := mp.Call(ctx, bubbleWait, mp.None{})
			bubbleRefused(t, "Call", err)
			_, err = mp.Start(ctx, bubbleWait, mp.None{})
			bubbleRefused(t, "Start", err)
			_, err = mp.NewPool(mp.PoolConfig{Workers: 2})
			bubbleRefused(t, "NewPool", err)
			_, err = mp.NewLock()
			bubbleRefused(t, "NewLock", err)
			_, err = mp.NewQueue[int](1)
			bubbleRefused(t, "NewQueue", err)
			done := make(chan error)
			go func() { _, err := mp.Call(ctx, bubbleWait, mp.None{}); done <- err }()
			bubbleRefused(t, "Call in a goroutine of the bubble", <-done)
			if p != nil && !p.Alive() {
				t.Error("the process outside has ended")
			}
		})
		cancel()
		if p != nil {
			if err := p.Join(context.Background()); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := mp.Call(short, bubbleWait, mp.None{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error("outside, afterwards: ", err)
	}
}

func bubbleRefused(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "testing/synctest") || strings.Count(err.Error(), "mp: ") != 1 {
		t.Errorf("%s: %v", what, err)
	}
}

// TestGoroutinesInsideABubble: what package thread keeps for all is of no bubble. Each kind of object is
// used outside, inside and outside again.
func TestGoroutinesInsideABubble(t *testing.T) {
	f := thread.Func(func(ctx context.Context, n int) (int, error) {
		time.Sleep(time.Duration(n) * time.Millisecond)
		return n, nil
	})
	use := func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		pool, err := thread.NewPool(mp.PoolConfig{Workers: 3})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := mp.Map(ctx, pool, f, []int{3, 1, 2}, mp.Timeout(time.Minute)); err != nil || len(out) != 3 {
			t.Error(out, err)
		}
		for _, err := range mp.Imap(ctx, pool, f, func(yield func(int) bool) { _ = yield(1) && yield(2) }) {
			if err != nil {
				t.Error(err)
			}
		}
		if err := pool.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		bubbleObjects(t, ctx, thread.NewQueue[int], thread.NewLock, thread.NewCondition)
	}
	for range 2 {
		use(t)
		synctest.Test(t, use)
	}
	use(t)
}

// bubbleObjects has two goroutines wait for each other.
func bubbleObjects(t *testing.T, ctx context.Context, newQueue func(int) (*mp.Queue[int], error),
	newLock func() (*mp.Lock, error), newCondition func(*mp.Lock) (*mp.Condition, error),
) {
	q, err := newQueue(1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLock()
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCondition(l)
	if err != nil {
		t.Fatal(err)
	}
	th, err := thread.Start(ctx, "t", func(ctx context.Context) error {
		for range 3 {
			if _, err := q.Get(ctx); err != nil {
				return err
			}
		}
		h, err := l.Acquire(ctx)
		if err != nil {
			return err
		}
		defer h.Release()
		return c.NotifyAll(h)
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := l.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := q.Put(ctx, i); err != nil {
			t.Error(err)
		}
	}
	if h, err = c.Wait(ctx, h); err != nil {
		t.Error(err)
	}
	h.Release()
	if err := th.Join(ctx); err != nil {
		t.Error(err)
	}
	late, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	if _, err := q.Get(late); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
