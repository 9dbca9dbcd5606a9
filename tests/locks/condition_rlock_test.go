//go:build linux

package locks_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

func rlockConditionOn(t *testing.T, c testkit.Carrier) (*mp.RLock, *mp.Condition) {
	t.Helper()
	l := testkit.Must(c.Rlock())(t)
	if c.Goroutines {
		return l, testkit.Must(thread.NewRLockCondition(l))(t)
	}
	return l, testkit.Must(mp.NewRLockCondition(l))(t)
}

// However often the lock is held, it is free while one waits, and held as often afterwards.
func TestConditionOfAnRLock(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		base := testkit.Ctx(t)
		l, cond := rlockConditionOn(t, c)
		woken := make(chan error, 1)
		waits := make(chan struct{})
		go func() {
			woken <- func() error {
				ctx, first, err := l.Acquire(base)
				if err != nil {
					return err
				}
				_, second, err := l.Acquire(ctx)
				if err != nil {
					return err
				}
				third, err := cond.Acquire(ctx) // nests, too
				if err != nil {
					return err
				}
				close(waits)
				back, err := cond.Wait(base, second)
				if err != nil {
					return err
				}
				if err := second.Release(); !errors.Is(err, mp.ErrNotOwner) {
					return errors.Join(err, errors.New("the Hold was not spent"))
				}
				if back.Token() <= first.Token() {
					return errors.New("it is no new acquisition")
				}
				_, fourth, err := l.Acquire(ctx) // nests as before
				for _, h := range []mp.Hold{fourth, third, back, first} {
					if !l.Locked() {
						return errors.New("free too early")
					}
					err = errors.Join(err, cond.Notify(h, 0), h.Release())
				}
				return err
			}()
		}()
		<-waits
		_, h, err := l.Acquire(base) // while the other waits
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(cond.NotifyAll(h), h.Release(), <-woken); err != nil {
			t.Error(err)
		}
		if l.Locked() {
			t.Error("held in the end")
		}
	})
}

// After an error nothing is held any more, and the lock can be acquired under the same ctx.
func TestConditionOfAnRLockThatIsLate(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		l, cond := rlockConditionOn(t, c)
		for _, late := range []context.Context{testkit.Ended(), testkit.Shortly(t, 5*time.Millisecond)} {
			ctx, outer, err := l.Acquire(testkit.Ctx(t))
			if err != nil {
				t.Fatal(err)
			}
			_, inner, err := l.Acquire(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := cond.Wait(late, inner); !errors.Is(err, context.DeadlineExceeded) || l.Locked() {
				t.Error(err, l.Locked())
			}
			_, again, err := l.Acquire(ctx)
			if err != nil || !l.Locked() {
				t.Error(err, l.Locked())
			}
			for _, h := range []mp.Hold{outer, inner} {
				if _, err := cond.Wait(ctx, h); !errors.Is(err, mp.ErrNotOwner) {
					t.Error(err)
				}
				if err := errors.Join(cond.Notify(h, 1)); !errors.Is(err, mp.ErrNotOwner) {
					t.Error(err)
				}
				if err := h.Release(); !errors.Is(err, mp.ErrNotOwner) {
					t.Error(err)
				}
			}
			if err := again.Release(); err != nil || l.Locked() {
				t.Error(err, l.Locked())
			}
		}
	})
}

// A Hold that is released while another of the same ctx waits does not come back.
func TestConditionOfAnRLockReleasedMeanwhile(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		l, cond := rlockConditionOn(t, c)
		ctx, outer, err := l.Acquire(testkit.Ctx(t))
		if err != nil {
			t.Fatal(err)
		}
		_, inner, err := l.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		back := make(chan error)
		go func() {
			h, err := cond.Wait(ctx, inner)
			back <- errors.Join(err, h.Release())
		}()
		_, h, err := l.Acquire(testkit.Ctx(t))
		if err := errors.Join(err, outer.Release(), cond.NotifyAll(h), h.Release(), <-back); err != nil || l.Locked() {
			t.Error(err, l.Locked())
		}
	})
}

func TestConditionOfNoRLock(t *testing.T) {
	if _, err := mp.NewRLockCondition(nil); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
	if _, err := thread.NewRLockCondition(new(mp.RLock)); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
}
