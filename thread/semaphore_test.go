package thread_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

func TestSemaphoreWaitEndsWithItsCtx(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := must(thread.NewSemaphore(0))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if _, err := s.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Error(err, time.Since(began))
		}
		if err := s.Release(1); err != nil || s.Available() != 1 {
			t.Error("somebody who has given up has it:", err, s.Available())
		}
		if _, err := s.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) || s.Available() != 1 {
			t.Error("a ctx that was done at entry:", err)
		}
	})
}

func TestSemaphoreIsHandedToWhoHasWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := must(thread.NewSemaphore(0))
		order := make(chan int, 4)
		for i := range 4 {
			go func() {
				must(s.Acquire(t.Context()))
				order <- i
			}()
			synctest.Wait()
		}
		s.Release(1)
		h, ok := s.TryAcquire()
		if !ok {
			t.Fatal("a permit that was free was not taken")
		}
		synctest.Wait()
		time.Sleep(time.Millisecond)
		h.Release()
		if _, ok := s.TryAcquire(); ok {
			t.Error("one who has waited for a millisecond was overtaken")
		}
		synctest.Wait()
		if first := <-order; first != 0 || len(order) != 0 {
			t.Error(first, len(order))
		}
		s.Release(5)
		if n := s.Available(); n != 2 {
			t.Errorf("%d are left of 5 for 3", n)
		}
		synctest.Wait()
		if len(order) != 3 || s.Available() != 2 {
			t.Error(len(order), s.Available())
		}
	})
}

// A permit of one whose ctx ends just as it is woken, or handed it, goes to the next.
func TestSemaphoreOfOneWhoGivesUpGoesOn(t *testing.T) {
	t.Parallel()
	for _, waited := range []time.Duration{0, time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s := must(thread.NewSemaphore(0))
			ctx, cancel := context.WithCancel(t.Context())
			const givingUp, staying = 3, 5
			left, got := make(chan error, givingUp), make(chan error, staying)
			acquire := func(ctx context.Context, outcome chan error) {
				go func() {
					h, err := s.Acquire(ctx)
					if err == nil {
						err = h.Release()
					}
					outcome <- err
				}()
				synctest.Wait()
			}
			for range givingUp {
				acquire(ctx, left)
			}
			for range staying {
				acquire(t.Context(), got)
			}
			time.Sleep(waited)
			s.Release(2)
			cancel()
			for range givingUp {
				if err := <-left; err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
			for range staying {
				if err := <-got; err != nil {
					t.Error(err)
				}
			}
			if s.Available() != 2 {
				t.Error(s.Available())
			}
		})
	}
}

func TestSemaphoreRefuses(t *testing.T) {
	t.Parallel()
	for _, permits := range []int{-1, math.MinInt} {
		for _, err := range []error{failure(thread.NewSemaphore(permits)), failure(thread.NewBoundedSemaphore(permits))} {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Error(permits, err)
			}
		}
	}
	s := must(thread.NewSemaphore(math.MaxInt32))
	if err := s.Release(1); !errors.Is(err, fs.ErrInvalid) {
		t.Error("more permits than can be:", err)
	}
	if err := s.Release(0); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	b := must(thread.NewBoundedSemaphore(1))
	h := must(b.Acquire(t.Context()))
	if err := b.Release(2); !errors.Is(err, mp.ErrFull) {
		t.Error(err)
	}
	if err := b.Release(1); err != nil {
		t.Error(err)
	}
	for range 2 { // it stays held
		if err := h.Release(); !errors.Is(err, mp.ErrFull) || b.Available() != 1 {
			t.Error(err, b.Available())
		}
	}
	must(b.Acquire(t.Context()))
	if err := h.Release(); err != nil {
		t.Error(err)
	}
	if err := h.Release(); !errors.Is(err, mp.ErrNotOwner) {
		t.Error(err)
	}
}

// Permits that are made and used up, as items are, may be any number in the course of time.
func TestSemaphoreOfPermitsThatAreUsedUp(t *testing.T) {
	t.Parallel()
	s := must(thread.NewSemaphore(math.MaxInt32))
	var holds []mp.Hold
	for range 3 {
		for range 10 {
			holds = append(holds, must(s.Acquire(t.Context())))
		}
		if err := s.Release(11); !errors.Is(err, fs.ErrInvalid) || s.Available() != math.MaxInt32-10 {
			t.Error("more permits than can be:", err, s.Available())
		}
		if err := s.Release(10); err != nil || s.Available() != math.MaxInt32 {
			t.Fatal(err, s.Available())
		}
	}
	for _, h := range holds { // though they have been replaced
		if err := h.Release(); err != nil || s.Available() < math.MaxInt32 {
			t.Error(err, s.Available())
		}
	}
}
