//go:build linux

package locks_test

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"sync/atomic"
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

// A notification before somebody waits is not for him.
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
		for n, pulses := 0, 0; n < 8; pulses++ { // who was not there yet waits for the next pulse
			if pulses == 200 {
				t.Fatal("who waits is not freed by a pulse")
			}
			e.Set()
			e.Clear()
			time.Sleep(5 * time.Millisecond)
			for ; len(freed) > 0; n++ {
				if err := <-freed; err != nil {
					t.Error(err)
				}
			}
		}
		if e.IsSet() {
			t.Error("it is set")
		}
	})
}

func TestBarrierRounds(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		const parties, rounds = 5, 50
		b := testkit.Must(c.Barrier(parties))(t)
		if b.Parties() != parties || b.Waiting() != 0 || b.Broken() {
			t.Error(b.Parties(), b.Waiting(), b.Broken())
		}
		var places [rounds][parties]atomic.Int32
		var actions atomic.Int32
		testkit.Each(parties, func(int) {
			for r := range rounds {
				place, err := b.WaitDo(ctx, func() error { actions.Add(1); return nil })
				if err != nil {
					t.Error(err)
					return
				}
				if n := actions.Load(); n < int32(r)+1 || n > int32(r)+2 {
					t.Errorf("after round %d there were %d actions", r, n)
				}
				places[r][place].Add(1)
			}
		})
		for r := range places {
			for p := range places[r] {
				if n := places[r][p].Load(); n != 1 {
					t.Errorf("place %d of round %d was given %d times", p, r, n)
				}
			}
		}
		one := testkit.Must(c.Barrier(1))(t)
		if place, err := one.Wait(ctx); place != 0 || err != nil {
			t.Error(place, err)
		}
		if err := testkit.ErrorOf(c.Barrier(1<<20 + 1)); !errors.Is(err, fs.ErrInvalid) {
			t.Error(err)
		}
	})
}

// waitingAt has n goroutines wait at the barrier, and returns when they do.
func waitingAt(ctx context.Context, b *mp.Barrier, n int) (outcomes chan error) {
	outcomes = make(chan error, n)
	for range n {
		go func() {
			_, err := b.Wait(ctx)
			outcomes <- err
		}()
	}
	for b.Waiting() < n {
		time.Sleep(100 * time.Microsecond)
	}
	return outcomes
}

func allBroken(t *testing.T, what string, outcomes chan error) {
	t.Helper()
	for range cap(outcomes) {
		if err := <-outcomes; !errors.Is(err, mp.ErrBroken) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestBarrierBreaks(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.Barrier(3))(t)
		passes := func(what string) {
			t.Helper()
			others := waitingAt(ctx, b, 2)
			if _, err := b.Wait(ctx); err != nil {
				t.Error(what, err)
			}
			for range 2 {
				if err := <-others; err != nil {
					t.Error(what, err)
				}
			}
		}
		others := waitingAt(ctx, b, 2)
		b.Abort()
		allBroken(t, "Abort", others)
		if !b.Broken() || b.Waiting() != 0 || !errors.Is(testkit.ErrorOf(b.Wait(ctx)), mp.ErrBroken) {
			t.Error("it does not stay broken")
		}
		b.Reset()
		passes("after Abort and Reset")

		others = waitingAt(ctx, b, 2)
		b.Reset()
		allBroken(t, "Reset", others)
		passes("after Reset")

		others = waitingAt(ctx, b, 1)
		if _, err := b.Wait(testkit.Shortly(t, 5*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		allBroken(t, "a ctx that ended", others)
		b.Reset()
		b.Reset() // of a new one
		if _, err := b.Wait(testkit.Cancelled()); !errors.Is(err, context.Canceled) || b.Broken() {
			t.Error("a ctx that was done at entry:", err)
		}
		passes("at last")
	})
}

func TestBarrierActionsThatFail(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.Barrier(2))(t)
		failed := errors.New("failed")
		for name, action := range map[string]func() error{
			"an error": func() error { return failed },
			"a panic":  func() error { panic("inside") },
			"an end":   func() error { runtime.Goexit(); return nil },
			"an Abort": func() error { return b.Abort() },
		} {
			other := waitingAt(ctx, b, 1)
			testkit.Each(1, func(int) {
				defer func() { recover() }()
				_, err := b.WaitDo(ctx, action)
				if name == "an error" && err != failed || name == "an Abort" && !errors.Is(err, mp.ErrBroken) {
					t.Error(name, err)
				}
			})
			allBroken(t, name, other)
			if !b.Broken() {
				t.Error(name)
			}
			b.Reset()
		}
	})
}

// Those beyond the parties wait for the next round, also while the action runs.
func TestBarrierMoreThanParties(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.Barrier(2))(t)
		beyond := make(chan error, 2)
		other := waitingAt(ctx, b, 1)
		_, err := b.WaitDo(ctx, func() error {
			if b.Waiting() != 2 || b.Broken() {
				t.Error(b.Waiting(), b.Broken())
			}
			if _, err := b.Wait(testkit.Shortly(t, 5*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) || b.Broken() {
				t.Error("who had not come yet breaks nothing:", err, b.Broken())
			}
			for range 2 {
				go func() {
					_, err := b.Wait(ctx)
					beyond <- err
				}()
			}
			return nil
		})
		for _, err := range []error{err, <-other, <-beyond, <-beyond} {
			if err != nil {
				t.Error(err)
			}
		}
		var through atomic.Int32
		testkit.Each(20, func(int) {
			if _, err := b.Wait(ctx); err == nil {
				through.Add(1)
			}
		})
		if through.Load() != 20 {
			t.Error(through.Load())
		}
	})
}
