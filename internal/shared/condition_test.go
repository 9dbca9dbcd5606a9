//go:build linux

package shared_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	roles["await"] = func(files []*os.File, args []string) { // waits for the condition once, says so, and goes
		c := openCondition(files)
		g, err := c.Mutex().Acquire(context.Background())
		must(err)
		g, err = c.Wait(context.Background(), g.Token)
		must(err)
		c.Mutex().Release(g.Token)
		e, err := shared.OpenEvent(files[2])
		must(err)
		e.Set()
	}
}

func openCondition(files []*os.File) *shared.Condition {
	c, err := shared.OpenCondition(files[1], openLock(files[0]))
	must(err)
	blindIfAsked()
	return c
}

func newCondition(t *testing.T, l *shared.Lock) *shared.Condition {
	t.Helper()
	c, err := shared.NewCondition(l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// conditionFiles are what the role needs.
func conditionFiles(c *shared.Condition, more ...*os.File) []*os.File {
	return append([]*os.File{mutexOf(c).File(), c.File()}, more...)
}

// waits waits until so many are inside Wait.
func waits(t *testing.T, c *shared.Condition, n int) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if w, g := c.Entries(); w+g == n {
			return
		}
	}
	w, g := c.Entries()
	t.Fatalf("%d wait and %d were granted, want %d", w, g, n)
}

func notify(t *testing.T, c *shared.Condition, n int) {
	t.Helper()
	g := acquire(t, mutexOf(c))
	if err := c.Notify(g.Token, n); err != nil {
		t.Error(err)
	}
	c.Mutex().Release(g.Token)
}

func TestConditionWakesInOrder(t *testing.T) {
	t.Parallel()
	c := newCondition(t, newLock(t))
	var order []int
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			g := acquire(t, mutexOf(c))
			g, err := c.Wait(soon(t), g.Token)
			if err != nil {
				t.Error(err)
				return
			}
			order = append(order, i)
			c.Mutex().Release(g.Token)
		})
		waits(t, c, i+1)
	}
	for n := range 3 {
		notify(t, c, 1)
		waits(t, c, 5-n)
	}
	notify(t, c, 0)
	waits(t, c, 3)
	notify(t, c, 100)
	wait.Wait()
	for i := range 3 {
		if order[i] != i {
			t.Errorf("woken in the order %v", order)
		}
	}
	if len(order) != 6 {
		t.Errorf("woken: %v", order)
	}
}

func TestConditionNeedsTheLock(t *testing.T) {
	t.Parallel()
	c := newCondition(t, newLock(t))
	g := acquire(t, mutexOf(c))
	c.Mutex().Release(g.Token)
	if _, err := c.Wait(soon(t), g.Token); !errors.Is(err, carrier.ErrNotOwner) {
		t.Error(err)
	}
	if err := c.Notify(g.Token, 1); !errors.Is(err, carrier.ErrNotOwner) {
		t.Error(err)
	}
	g = acquire(t, mutexOf(c))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Wait(ctx, g.Token); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if mutexOf(c).Locked() {
		t.Error("the lock is held after a Wait that failed")
	}
	g = acquire(t, mutexOf(c))
	if _, err := c.Wait(ctx, g.Token); !errors.Is(err, context.DeadlineExceeded) || mutexOf(c).Locked() {
		t.Error("after a Wait with a ctx that was done:", err)
	}
}

// A wake-up whose waiter gives up while it waits for the lock goes to the next.
func TestConditionPassesOnWhatIsNotUsed(t *testing.T) {
	t.Parallel()
	c := newCondition(t, newLock(t))
	ctx, cancel := context.WithCancel(soon(t))
	gone := make(chan error, 1)
	go func() {
		g := acquire(t, mutexOf(c))
		_, err := c.Wait(ctx, g.Token)
		gone <- err
	}()
	waits(t, c, 1)
	var woken atomic.Bool
	var wait sync.WaitGroup
	wait.Go(func() {
		g := acquire(t, mutexOf(c))
		if _, err := c.Wait(soon(t), g.Token); err != nil {
			t.Error(err)
		}
		woken.Store(true)
	})
	waits(t, c, 2)
	g := acquire(t, mutexOf(c))
	must(c.Notify(g.Token, 1))
	time.Sleep(20 * time.Millisecond) // it waits for the lock
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) || woken.Load() {
		t.Error(err)
	}
	c.Mutex().Release(g.Token)
	wait.Wait()
}

func TestConditionsShareALock(t *testing.T) {
	t.Parallel()
	l := newLock(t)
	full, empty := newCondition(t, l), newCondition(t, l)
	a, b := newEvent(t), newEvent(t)
	play(t, "await", conditionFiles(full, a.File()))
	play(t, "await", conditionFiles(empty, b.File()))
	waits(t, full, 1)
	waits(t, empty, 1)
	notify(t, empty, 5)
	if err := b.Wait(soon(t)); err != nil || a.IsSet() {
		t.Error("the wrong one was woken", err)
	}
	notify(t, full, 1)
	if err := a.Wait(soon(t)); err != nil {
		t.Error(err)
	}
}

func TestConditionOfAnotherLock(t *testing.T) {
	t.Parallel()
	c, other := newCondition(t, newLock(t)), newLock(t)
	if _, err := shared.OpenCondition(again(t, c.File()), other); err == nil {
		t.Error("no error")
	}
	if same, err := shared.OpenCondition(again(t, c.File()), mutexOf(c)); err != nil || same != c {
		t.Error(same, err)
	}
}

func mutexOf(c *shared.Condition) *shared.Lock { return c.Mutex().(*shared.Lock) }
