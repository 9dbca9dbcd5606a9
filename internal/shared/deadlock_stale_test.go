//go:build linux

package shared_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	roles["hold and want"] = func(files []*os.File, _ []string) { // has the first lock, and comes for the second
		mine, other := openLock(files[0]), openLock(files[1])
		_, err := mine.Acquire(context.Background())
		must(err)
		_, err = other.Acquire(context.Background())
		must(err)
		forever()
	}
}

// What a process has said that it waits for is believed only as far as it is so: one that is
// stopped does not take it back.
func TestNoDeadlockByALockThatWasReleased(t *testing.T) {
	t.Parallel()
	l, theirs, said := newLock(t), newLock(t), newEvent(t)
	g := acquire(t, l)
	c := play(t, "hold and want", []*os.File{theirs.File(), l.File()})
	for !theirs.Locked() {
		time.Sleep(time.Millisecond)
	}
	circle := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err := theirs.Acquire(ctx)
		var blocked *shared.BlockedError
		if !errors.As(err, &blocked) {
			return false
		}
		return len(blocked.Cycle) > 0
	}
	for end := time.Now().Add(10 * time.Second); !circle(); {
		if time.Now().After(end) {
			t.Fatal("the deadlock is not found")
		}
	}
	c.Process.Signal(syscall.SIGSTOP)
	c.stops() // before, it might take the lock
	l.Release(g.Token)
	play(t, "hold", []*os.File{l.File(), said.File()})
	must(said.Wait(soon(t)))
	if circle() {
		t.Error("a deadlock by a lock that another process has")
	}
	runtime.KeepAlive(l) // what this process does not have it cannot look at
}
