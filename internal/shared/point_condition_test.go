//go:build linux

package shared_test

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func TestPointsOfTheCondition(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"numbered", "joined", "unlocked"} {
		t.Run(label, func(t *testing.T) { // before it is notified
			t.Parallel()
			c, e := newCondition(t, newLock(t)), newEvent(t)
			doomed(t, "condition."+label, "await", conditionFiles(c, e.File())).dies()
			last := play(t, "await", conditionFiles(c, e.File()))
			for end := time.Now().Add(15 * time.Second); !e.IsSet() && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				notify(t, c, 1)
			}
			last.ended()
			waits(t, c, 0)
		})
	}
	for _, label := range []string{"woken", "relocked"} {
		t.Run(label, func(t *testing.T) { // between its notification and its return
			t.Parallel()
			if err := wakeUpSurvives(t, "condition."+label, false, 15*time.Second); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("a process that keeps the wake-ups of the dead is caught", func(t *testing.T) {
		t.Parallel()
		if err := wakeUpSurvives(t, "condition.woken", true, blindTime); !errors.Is(err, errStillRuns) {
			t.Error(err)
		}
	})
	t.Run("left", func(t *testing.T) {
		t.Parallel()
		c, e := newCondition(t, newLock(t)), newEvent(t)
		first := doomed(t, "condition.left", "await", conditionFiles(c, e.File()))
		waits(t, c, 1)
		notify(t, c, 1)
		first.dies()
		waits(t, c, 0)
		if g := acquire(t, mutexOf(c)); !g.Abandoned {
			t.Error("it had come back with the lock")
		}
	})
}

// wakeUpSurvives says whether a survivor is woken in the place of one who dies at a
// point after he was notified.
func wakeUpSurvives(t *testing.T, label string, blind bool, limit time.Duration) error {
	c, e := newCondition(t, newLock(t)), newEvent(t)
	first := doomed(t, label, "await", conditionFiles(c, e.File()))
	waits(t, c, 1)
	last := playTagged(t, blindEnv(blind), "await", conditionFiles(c, e.File()))
	waits(t, c, 2)
	notify(t, c, 1)
	first.diesFor(blind)
	if err := last.within(limit); err != nil {
		return err
	}
	if !e.IsSet() {
		return errors.New("it ended without being woken")
	}
	waits(t, c, 0)
	return nil
}

// A waiter that gives up passes its wake-up on, also if it dies while it does.
func TestPointsOfGivingUp(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"quitting", "passed"} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			c, stop, e := newCondition(t, newLock(t)), newEvent(t), newEvent(t)
			first := doomed(t, "condition."+label, "await shortly", conditionFiles(c, stop.File()))
			waits(t, c, 1)
			last := play(t, "await", conditionFiles(c, e.File()))
			waits(t, c, 2)
			g := acquire(t, mutexOf(c))
			must(c.Notify(g.Token, 1))
			time.Sleep(20 * time.Millisecond) // it waits for the lock
			stop.Set()
			first.dies()
			c.Mutex().Release(g.Token)
			last.ended()
			notify(t, c, 0) // tidies up
			waits(t, c, 0)
		})
	}
}

func TestPointsOfNotify(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"granted", "notified"} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			c, e := newCondition(t, newLock(t)), newEvent(t)
			last := play(t, "await", conditionFiles(c, e.File()))
			waits(t, c, 1)
			doomed(t, "condition."+label, "notify", conditionFiles(c), "1").dies()
			last.ended()
			if !e.IsSet() {
				t.Error("not woken")
			}
		})
	}
}

// Whoever sees to the wake-up of one who died may die over it, too.
func TestPointsOfPassingOn(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"takenover", "passedon"} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			c, a, b, e := newCondition(t, newLock(t)), newEvent(t), newEvent(t), newEvent(t)
			first := doomed(t, "condition.woken", "await", conditionFiles(c, a.File()))
			waits(t, c, 1)
			last := play(t, "await", conditionFiles(c, e.File()))
			waits(t, c, 2)
			second := doomed(t, "condition."+label, "await", conditionFiles(c, b.File()))
			waits(t, c, 3)
			last.Process.Signal(syscall.SIGSTOP) // so that it is the second who notices
			last.stops()
			notify(t, c, 1)
			first.dies()
			second.dies()
			last.Process.Signal(syscall.SIGCONT)
			last.ended()
			if !e.IsSet() {
				t.Error("not woken")
			}
			notify(t, c, 1) // tidies up
			waits(t, c, 0)
		})
	}
}

func TestPointsOfTheBarrier(t *testing.T) {
	t.Parallel()
	for label, through := range map[string]bool{
		"arrived": false, "complete": false, "acting": false, "acted": false, "passed": true, "giving-up": false, "broken": false,
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			b := newBarrier(t, 2)
			patience, before := "10000", 1
			switch label {
			case "arrived":
				before = 0
			case "giving-up", "broken":
				b, patience = newBarrier(t, 3), "50"
			}
			done := make(chan error, 1)
			wait := func() { _, err := b.Wait(soon(t), nil); done <- err }
			if before == 1 {
				go wait()
				for b.Waiting() < 1 {
					time.Sleep(time.Millisecond)
				}
			}
			doomed(t, "barrier."+label, "barrier act", []*os.File{b.File()}, patience).dies()
			if before == 0 {
				go wait()
			}
			if err := <-done; through && err != nil || !through && !errors.Is(err, carrier.ErrBarrierBroken) {
				t.Error(err)
			}
			barrierWorks(t, b)
		})
	}
	for _, label := range []string{"broken", "recorded", "reset"} {
		t.Run("resetting "+label, func(t *testing.T) {
			t.Parallel()
			b := newBarrier(t, 2)
			done := make(chan error, 1)
			go func() { _, err := b.Wait(soon(t), nil); done <- err }()
			for b.Waiting() < 1 {
				time.Sleep(time.Millisecond)
			}
			doomed(t, "barrier."+label, "barrier reset", []*os.File{b.File()}).dies()
			if err := <-done; !errors.Is(err, carrier.ErrBarrierBroken) {
				t.Error(err)
			}
			barrierWorks(t, b)
		})
	}
	t.Run("a process that ignores death is caught", func(t *testing.T) {
		t.Parallel()
		if err := deathBreaks(t, false, 15*time.Second); err != nil {
			t.Errorf("one that does not: %v", err)
		}
		if err := deathBreaks(t, true, blindTime); !errors.Is(err, errStillRuns) {
			t.Error(err)
		}
	})
}

// deathBreaks says whether one who waits at a barrier is told that another who waited has
// died. No process but that one looks at the barrier.
func deathBreaks(t *testing.T, blind bool, limit time.Duration) error {
	b := newBarrier(t, 3)
	doomed(t, "barrier.arrived", "barrier act", []*os.File{b.File()}, "10000").diesFor(blind)
	err := playTagged(t, blindEnv(blind), "wait broken", []*os.File{b.File()}).within(limit)
	runtime.KeepAlive(b)
	return err
}

// barrierWorks resets a barrier and goes through it twice.
func barrierWorks(t *testing.T, b *shared.Barrier) {
	t.Helper()
	b.Reset()
	for range 2 {
		if places, errs := crowd(b, soon(t), b.Parties(), nil); len(errs) > 0 || len(places) != b.Parties() {
			t.Error("it does not work any more:", places, errs)
		}
	}
}
