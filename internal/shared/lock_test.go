//go:build linux

package shared_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	roles["hold"] = func(files []*os.File, _ []string) { // takes the lock, says so, and stays
		l := openLock(files[0])
		_, err := l.Acquire(context.Background())
		must(err)
		e, err := shared.OpenEvent(files[1])
		must(err)
		e.Set()
		forever()
	}
	roles["count"] = func(files []*os.File, args []string) { // adds to a file under the lock
		l := openLock(files[0])
		for range atoi(args[0]) {
			g, err := l.Acquire(context.Background())
			must(err)
			increment(files[1])
			if l.Release(g.Token) != nil {
				panic("not held")
			}
		}
	}
}

func openLock(f *os.File) *shared.Lock {
	l, err := shared.OpenLock(f)
	must(err)
	blindIfAsked()
	return l
}

// increment adds one to the number in a file, which takes several steps.
func increment(f *os.File) {
	var b [8]byte
	f.ReadAt(b[:], 0)
	for i := range b {
		if b[i]++; b[i] != 0 {
			break
		}
	}
	_, err := f.WriteAt(b[:], 0)
	must(err)
}

func newLock(t *testing.T) *shared.Lock {
	t.Helper()
	l, err := shared.NewLock()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newEvent(t *testing.T) *shared.Event {
	t.Helper()
	e, err := shared.NewEvent()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func acquire(t *testing.T, l *shared.Lock) carrier.Grant {
	t.Helper()
	g, err := l.Acquire(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestLockExcludesGoroutinesAndProcesses(t *testing.T) {
	t.Parallel()
	l := newLock(t)
	sum, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer sum.Close()
	const each = 2000
	a := play(t, "count", []*os.File{l.File(), sum}, "2000")
	b := play(t, "count", []*os.File{l.File(), sum}, "2000")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range each {
				g := acquire(t, l)
				increment(sum)
				l.Release(g.Token)
			}
		})
	}
	wait.Wait()
	a.ended()
	b.ended()
	var got [8]byte
	sum.ReadAt(got[:], 0)
	if n := int(got[0]) | int(got[1])<<8 | int(got[2])<<16; n != 6*each {
		t.Errorf("%d increments of %d were not lost", n, 6*each)
	}
}

func TestLockOfADeadOwnerIsAbandoned(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(*child){"its parent says so": (*child).kill, "nobody says so": (*child).killUnnoticed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, e := newLock(t), newEvent(t)
			c := play(t, "hold", []*os.File{l.File(), e.File()})
			if err := e.Wait(soon(t)); err != nil {
				t.Fatal(err)
			}
			if _, ok := l.TryAcquire(); ok {
				t.Fatal("taken twice")
			}
			go func() {
				time.Sleep(10 * time.Millisecond) // let the acquisition wait
				kill(c)
			}()
			g := acquire(t, l)
			if !g.Abandoned {
				t.Error("not said to be abandoned")
			}
			l.Release(g.Token)
			if g = acquire(t, l); g.Abandoned {
				t.Error("abandoned for ever")
			}
		})
	}
}

func TestLockOfAStoppedOwnerIsHeld(t *testing.T) {
	t.Parallel()
	l, e := newLock(t), newEvent(t)
	c := play(t, "hold", []*os.File{l.File(), e.File()})
	if err := e.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	c.Process.Signal(syscall.SIGSTOP)
	c.stops()
	ctx, cancel := context.WithTimeout(soon(t), 100*time.Millisecond)
	defer cancel()
	_, err := l.Acquire(ctx)
	var blocked *shared.BlockedError
	if !errors.As(err, &blocked) || !errors.Is(err, context.DeadlineExceeded) || blocked.PID != c.Process.Pid || blocked.Name != "hold" {
		t.Errorf("the error is %v, want one that names pid %d", err, c.Process.Pid)
	}
	if id, held := l.Owner(); !held {
		t.Error("not held any more")
	} else if pid, _, _ := proctable.Describe(id); pid != c.Process.Pid {
		t.Errorf("held by %d", pid)
	}
}
