//go:build linux

package locks_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// waitingFor starts n goroutines that wait for the condition, one after the other, and
// returns when all of them do. Each sends its number when it was woken.
func waitingFor(t *testing.T, ctx context.Context, c *mp.Condition, n int) (woken chan int) {
	woken = make(chan int, n)
	for i := range n {
		waits := make(chan struct{})
		go func() {
			h, err := c.Acquire(ctx)
			if err != nil {
				t.Error(err)
			}
			close(waits) // nobody has the lock after this before it waits
			if h, err = c.Wait(ctx, h); err != nil {
				t.Error(err)
				return
			}
			woken <- i
			if err := h.Release(); err != nil {
				t.Error(err)
			}
		}()
		<-waits
		testkit.Must(c.Acquire(ctx))(t).Release()
	}
	return woken
}

func TestConditionNotifies(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		c := testkit.Must(on.Condition(nil))(t)
		const waiting = 10
		woken := waitingFor(t, ctx, c, waiting)
		next := 0
		for _, n := range []int{0, -1, 1, 2, 3, 100} {
			h := testkit.Must(c.Acquire(ctx))(t)
			if err := c.Notify(h, n); err != nil {
				t.Error(err)
			}
			if len(woken) != 0 {
				t.Error("woken while the lock was held")
			}
			h.Release()
			var got, want []int
			for range min(max(n, 0), waiting-next) {
				got, want = append(got, <-woken), append(want, next)
				next++
			}
			if slices.Sort(got); !slices.Equal(got, want) { // first in, first out
				t.Errorf("Notify(%d) woke %d, want %d", n, got, want)
			}
		}
		h := testkit.Must(c.Acquire(ctx))(t)
		if err := errors.Join(c.NotifyAll(h), c.Notify(h, 1), h.Release()); err != nil { // of nobody
			t.Error(err)
		}
		woken = waitingFor(t, ctx, c, waiting)
		h = testkit.Must(c.Acquire(ctx))(t)
		if err := errors.Join(c.NotifyAll(h), h.Release()); err != nil {
			t.Error(err)
		}
		for range waiting {
			<-woken
		}
	})
}

// A notification is for those that wait already.
func TestConditionForgets(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		l := testkit.Must(on.Lock())(t)
		c := testkit.Must(on.Condition(l))(t)
		h := testkit.Must(c.Acquire(ctx))(t)
		if !l.Locked() {
			t.Error("the condition has another lock")
		}
		c.NotifyAll(h)
		before := h
		h, err := c.Wait(testkit.Shortly(t, 10*time.Millisecond), h)
		if !errors.Is(err, context.DeadlineExceeded) || h != (mp.Hold{}) || l.Locked() {
			t.Error(err, h, l.Locked())
		}
		for _, err := range []error{before.Release(), c.Notify(before, 1), testkit.ErrorOf(c.Wait(ctx, before)), testkit.ErrorOf(c.WaitFor(ctx, before, func() bool { return true }))} {
			if !errors.Is(err, mp.ErrNotOwner) {
				t.Error("of a Hold that is spent:", err)
			}
		}
	})
}

// A wake-up whose waiter gives up goes to the next.
func TestConditionCancelledWaiters(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		c := testkit.Must(on.Condition(nil))(t)
		for range 50 {
			giving, cancel := context.WithCancel(ctx)
			gaveUp := make(chan error, 1)
			waits := make(chan struct{})
			go func() {
				h, _ := c.Acquire(ctx)
				close(waits)
				h, err := c.Wait(giving, h)
				if err == nil { // it was woken all the same: it has to say so
					c.Notify(h, 1)
					h.Release()
				}
				gaveUp <- err
			}()
			<-waits
			woken := waitingFor(t, ctx, c, 1)
			h := testkit.Must(c.Acquire(ctx))(t)
			c.Notify(h, 1)
			cancel() // after the notification, before it can have the lock
			h.Release()
			if err := <-gaveUp; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			<-woken
		}
	})
}

func TestConditionWaitFor(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		c := testkit.Must(on.Condition(nil))(t)
		state := 0
		done := make(chan error)
		go func() {
			h, _ := c.Acquire(ctx)
			h, err := c.WaitFor(ctx, h, func() bool { return state == 4 })
			done <- errors.Join(err, h.Release())
		}()
		for state < 4 {
			h := testkit.Must(c.Acquire(ctx))(t)
			state++
			c.Notify(h, 1)
			if state == 4 {
				c.NotifyAll(h)
				h.Release()
				break
			}
			h.Release()
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		h := testkit.Must(c.Acquire(ctx))(t)
		if again, err := c.WaitFor(testkit.Cancelled(), h, func() bool { return true }); err != nil || again != h {
			t.Error("what is true is not waited for:", err)
		}
		if _, err := c.WaitFor(testkit.Shortly(t, 5*time.Millisecond), h, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestEventFreesAll(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		e := testkit.Must(c.Event())(t)
		if e.IsSet() {
			t.Error("it begins set")
		}
		if err := e.Wait(testkit.Shortly(t, 5*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		for range 20 {
			freed := make(chan error, 8)
			for range 8 {
				go func() { freed <- e.Wait(ctx) }()
			}
			runtime.Gosched()
			e.Set()
			e.Set()
			for range 8 {
				if err := <-freed; err != nil {
					t.Error(err)
				}
			}
			if err := e.Wait(ctx); err != nil || !e.IsSet() {
				t.Error(err)
			}
			e.Clear()
			e.Clear()
			if e.IsSet() {
				t.Error("cleared")
			}
		}
	})
}

// Also when Clear follows at once.
func TestEventPulse(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		e := testkit.Must(c.Event())(t)
		freed := make(chan error, 8)
		for range 8 {
			go func() { freed <- e.Wait(ctx) }()
		}
		testkit.UntilBlocked(t, 8, "Wait")
		e.Set()
		e.Clear()
		for range 8 {
			if err := <-freed; err != nil {
				t.Error(err)
			}
		}
		if e.IsSet() {
			t.Error("it is set")
		}
	})
}
