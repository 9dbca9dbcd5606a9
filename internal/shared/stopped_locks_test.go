//go:build linux

package shared_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// A process that is stopped in the middle of something keeps what it has, and nobody
// who has a ctx waits for it without end.
func TestStoppedInTheMiddle(t *testing.T) {
	t.Parallel()
	stop := func(t *testing.T, label, role string, files []*os.File, args ...string) *child {
		c := playTagged(t, []string{"MP_POINT=" + label, "MP_POINT_STOP=1"}, role, files, args...)
		var status syscall.WaitStatus
		for {
			if pid, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil); err == nil && pid > 0 {
				if !status.Stopped() {
					t.Fatalf("it did not stop: %v", status)
				}
				return c
			} else if err != nil && err != syscall.EINTR {
				t.Fatal(err)
			}
		}
	}
	goOn := func(c *child) { // it stops there again and again
		done := make(chan struct{})
		defer close(done)
		go func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(5 * time.Millisecond):
					c.Process.Signal(syscall.SIGCONT)
				}
			}
		}()
		c.ended()
	}
	ends := func(t *testing.T, wait func(context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		begin := time.Now()
		if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	}
	for _, label := range []string{"lock.owned", "lock.held", "lock.released"} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			l := newLock(t)
			c := stop(t, label, "lock turns", []*os.File{l.File()}, "5")
			ends(t, func(ctx context.Context) error { _, err := l.Acquire(ctx); return err })
			goOn(c)
			l.Release(acquire(t, l).Token)
		})
	}
	for _, bounded := range []bool{false, true} {
		t.Run("semaphore.latched", func(t *testing.T) {
			t.Parallel()
			s := newSemaphore(t, 2, bounded)
			take(t, s)
			c := stop(t, "semaphore.latched", "permit turns", []*os.File{s.File()}, "5")
			ends(t, func(ctx context.Context) error { _, err := s.Acquire(ctx); return err })
			if _, ok := s.TryAcquire(); ok {
				t.Error("acquired past who has the latch")
			}
			if err := s.Return(0); err != nil || s.Available() != 2 {
				t.Error(err, s.Available())
			}
			goOn(c)
			if n := s.Available(); n != 2 {
				t.Error(n)
			}
		})
	}
	t.Run("barrier.complete", func(t *testing.T) {
		t.Parallel()
		b := newBarrier(t, 2)
		done := make(chan error, 1)
		go func() { _, err := b.Wait(soon(t), nil); done <- err }()
		for b.Waiting() < 1 {
			time.Sleep(time.Millisecond)
		}
		c := stop(t, "barrier.complete", "barrier act", []*os.File{b.File()}, "20000")
		ends(t, func(ctx context.Context) error { _, err := b.Wait(ctx, nil); return err }) // one too many
		b.Reset()
		if err := <-done; !errors.Is(err, carrier.ErrBarrierBroken) {
			t.Error(err)
		}
		barrierWorks(t, b)
		goOn(c) // looks late
		if b.Broken() {
			t.Error("one who looked late has broken another round")
		}
		barrierWorks(t, b)
	})
}
