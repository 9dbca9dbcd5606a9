package thread_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// notify is Notify of n, with the lock.
func notify(t *testing.T, c *mp.Condition, n int) {
	t.Helper()
	h := must(c.Acquire(t.Context()))
	if err := errors.Join(c.Notify(h, n), h.Release()); err != nil {
		t.Error(err)
	}
}

func TestConditionWakesInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := must(thread.NewCondition(nil))
		var order []int
		for i := range 6 {
			go func() {
				h := must(c.Wait(t.Context(), must(c.Acquire(t.Context()))))
				order = append(order, i)
				h.Release()
			}()
			synctest.Wait()
		}
		woken := 0
		for _, n := range []int{0, 1, 2, 100} {
			notify(t, c, n)
			synctest.Wait()
			woken = min(6, woken+n)
			if len(order) != woken {
				t.Errorf("Notify(%d) woke %v, not %d in all", n, order, woken)
			}
		}
		// Those that were woken together take the lock in any order.
		if order[0] != 0 || order[1]+order[2] != 3 || !slices.Contains(order[3:], 5) {
			t.Error(order)
		}
	})
}

// The wake-up of one whose ctx has ended goes to the next, and nobody is woken besides.
func TestConditionOfOneWhoGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := must(thread.NewCondition(nil))
		ctx, cancel := context.WithCancel(t.Context())
		var errs []error
		wait := func(ctx context.Context) {
			go func() {
				h, err := c.Wait(ctx, must(c.Acquire(t.Context())))
				errs = append(errs, err)
				h.Release()
			}()
			synctest.Wait()
		}
		wait(ctx)
		wait(t.Context())
		wait(t.Context())
		h := must(c.Acquire(t.Context()))
		c.Notify(h, 1)
		synctest.Wait() // the first has woken, and waits for the lock
		cancel()
		synctest.Wait()
		if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
			t.Fatal(errs)
		}
		if want := "mp: Condition.Wait: another goroutine of this process has the lock: context canceled"; errs[0].Error() != want {
			t.Errorf("got %q, want %q", errs[0], want)
		}
		h.Release()
		synctest.Wait()
		if len(errs) != 2 || errs[1] != nil {
			t.Fatal("the wake-up is lost, or became two:", errs)
		}
		notify(t, c, 1)
		synctest.Wait()
		if len(errs) != 3 || errs[2] != nil {
			t.Error(errs)
		}
	})
}

func TestConditionWaitTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := must(thread.NewLock())
		c, same := must(thread.NewCondition(l)), must(thread.NewCondition(l))
		h := must(l.Acquire(t.Context()))
		c.NotifyAll(h) // of nobody
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := c.Wait(ctx, h); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second || l.Locked() {
			t.Error(err, time.Since(began), l.Locked())
		}
		h = must(l.Acquire(t.Context()))
		if _, err := c.Wait(ctx, h); !errors.Is(err, context.DeadlineExceeded) || l.Locked() {
			t.Error("a ctx that was done at entry:", err, l.Locked())
		}
		h = must(l.Acquire(t.Context()))
		if h, err := c.WaitFor(ctx, h, func() bool { return true }); err != nil || same.Notify(h, 1) != nil || h.Release() != nil {
			t.Error(err)
		}
		for _, err := range []error{
			c.Notify(h, 1), failure(c.Wait(t.Context(), h)), failure(c.WaitFor(t.Context(), h, nil)),
			c.NotifyAll(must(must(thread.NewLock()).Acquire(t.Context()))),
		} {
			if !errors.Is(err, mp.ErrNotOwner) {
				t.Error(err)
			}
		}
	})
}

// A condition is where its lock is, whichever package's constructor makes it.
func TestConditionOfALockOfTheOtherPackage(t *testing.T) {
	t.Parallel()
	if err := failure(thread.NewCondition(new(mp.Lock))); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
	woken := func(t *testing.T, c *mp.Condition) {
		t.Helper()
		h := must(c.Acquire(t.Context()))
		notified := make(chan error)
		go func() { // has the lock once the wait below has given it up
			h, err := c.Acquire(t.Context())
			if err == nil {
				err = errors.Join(c.Notify(h, 1), h.Release())
			}
			notified <- err
		}()
		h, err := c.Wait(t.Context(), h)
		if err := errors.Join(err, <-notified, h.Release()); err != nil {
			t.Error(err)
		}
	}
	woken(t, must(mp.NewCondition(must(thread.NewLock()))))
	l, err := mp.NewLock()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	woken(t, must(thread.NewCondition(l)))
}
