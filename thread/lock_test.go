package thread_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// must is for constructors whose error is always nil, or is not what is tested.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// failure is the error of what has a value besides.
func failure[T any](_ T, err error) error { return err }

func TestLockExcludes(t *testing.T) {
	t.Parallel()
	l := must(thread.NewLock())
	sum, last := 0, uint64(0)
	done := make(chan struct{})
	for range 4 {
		go func() {
			for range 1000 {
				h, err := l.Acquire(t.Context())
				if err != nil || h.Token() <= last || h.Abandoned() {
					t.Error(err, h.Token(), last)
				}
				last = h.Token()
				sum++
				h.Release()
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	if sum != 4000 || l.Locked() {
		t.Error(sum, l.Locked())
	}
}

func TestLockWaitEndsWithItsCtx(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := must(thread.NewLock())
		h := must(l.Acquire(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		_, err := l.Acquire(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Hour {
			t.Error(err, time.Since(began))
		}
		if want := "mp: another goroutine of this process has the lock: context deadline exceeded"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		if pid, held := l.Owner(); pid != os.Getpid() || !held {
			t.Error(pid, held)
		}
		if err := h.Release(); err != nil || l.Locked() {
			t.Error("somebody who has given up has it:", err)
		}
		if _, err := l.Acquire(ctx); err != context.DeadlineExceeded || l.Locked() {
			t.Error("a ctx that was done at entry:", err)
		}
	})
}

// A goroutine that comes while the lock is free takes it; one that has waited for a millisecond is handed it.
func TestLockIsHandedToWhoHasWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := must(thread.NewLock())
		h := must(l.Acquire(t.Context()))
		var order []int
		for i := range 3 {
			go func() {
				h := must(l.Acquire(t.Context()))
				order = append(order, i)
				h.Release()
			}()
			synctest.Wait()
		}
		h.Release()
		h, ok := l.TryAcquire()
		if !ok {
			t.Fatal("a lock that is free was not taken")
		}
		synctest.Wait()
		if len(order) != 0 {
			t.Fatal("two at a time")
		}
		time.Sleep(time.Millisecond)
		h.Release()
		if _, ok := l.TryAcquire(); ok || !l.Locked() {
			t.Error("one who has waited for a millisecond was overtaken")
		}
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2}) || l.Locked() {
			t.Error(order, l.Locked())
		}
	})
}

// One whose ctx ends just as it is woken, or handed the lock, does not take it along.
func TestLockOfOneWhoGivesUpGoesOn(t *testing.T) {
	t.Parallel()
	for _, waited := range []time.Duration{0, time.Millisecond} {
		for _, cancelFirst := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				l := must(thread.NewLock())
				h := must(l.Acquire(t.Context()))
				ctx, cancel := context.WithCancel(t.Context())
				first := make(chan error, 1)
				go func() {
					h, err := l.Acquire(ctx)
					if err == nil {
						err = h.Release()
					}
					first <- err
				}()
				synctest.Wait()
				second := make(chan error, 1)
				go func() {
					h, err := l.Acquire(t.Context())
					second <- errors.Join(err, h.Release())
				}()
				time.Sleep(waited)
				synctest.Wait()
				if cancelFirst {
					cancel()
				}
				h.Release()
				cancel()
				synctest.Wait()
				if err := <-first; err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				if err := <-second; err != nil || l.Locked() {
					t.Error(err, l.Locked())
				}
			})
		}
	}
}

// A Hold that another goroutine releases twice while others wait is released once.
func TestLockReleasedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := must(thread.NewLock())
		h := must(l.Acquire(t.Context()))
		got := make(chan mp.Hold, 1)
		go func() { got <- must(l.Acquire(t.Context())) }()
		synctest.Wait()
		if err := h.Release(); err != nil {
			t.Error(err)
		}
		next := <-got
		for range 2 {
			if err := h.Release(); !errors.Is(err, mp.ErrNotOwner) || !l.Locked() {
				t.Error("another's acquisition was released:", err)
			}
		}
		if err := next.Release(); err != nil || l.Locked() {
			t.Error(err)
		}
	})
}

func TestRLockOwners(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := must(thread.NewRLock())
		ctx, outer, err := r.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, inner, ok := r.TryAcquire(ctx)
		if !ok || inner.Token() != outer.Token() {
			t.Error("it does not nest")
		}
		other := make(chan mp.Hold)
		go func() {
			_, h, err := r.Acquire(t.Context())
			if err != nil {
				t.Error(err)
			}
			other <- h
		}()
		synctest.Wait()
		outer.Release()
		synctest.Wait()
		select {
		case <-other:
			t.Fatal("two owners")
		default:
		}
		inner.Release()
		if h := <-other; h.Token() <= outer.Token() || h.Release() != nil || r.Locked() {
			t.Error(h.Token(), r.Locked())
		}
	})
}
