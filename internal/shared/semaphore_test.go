//go:build linux

package shared_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/shared"
)

func init() {
	roles["permits"] = func(files []*os.File, args []string) { // takes permits, says so, and stays
		s := openSemaphore(files[0])
		for range atoi(args[0]) {
			_, err := s.Acquire(context.Background())
			must(err)
		}
		e, err := shared.OpenEvent(files[1])
		must(err)
		e.Set()
		forever()
	}
}

func openSemaphore(f *os.File) *shared.Semaphore {
	s, err := shared.OpenSemaphore(f)
	must(err)
	blindIfAsked()
	return s
}

func newSemaphore(t *testing.T, permits int, bounded bool) *shared.Semaphore {
	t.Helper()
	s, err := shared.NewSemaphore(permits, bounded)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func take(t *testing.T, s *shared.Semaphore) uint64 {
	t.Helper()
	g, err := s.Acquire(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return g.Token
}

func TestSemaphoreCounts(t *testing.T) {
	t.Parallel()
	s := newSemaphore(t, 2, false)
	first, second := take(t, s), take(t, s)
	if second <= first {
		t.Errorf("acquisitions %d and %d", first, second)
	}
	if _, ok := s.TryAcquire(); ok || s.Available() != 0 {
		t.Errorf("a third of two permits; available %d", s.Available())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := s.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := s.Return(0); err != nil || s.Available() != 1 {
		t.Error(err, s.Available())
	}
	if err := s.Release(3); err != nil || s.Available() != 4 {
		t.Error(err, s.Available())
	}
	if s.Release(0) == nil || s.Release(carrier.MaxPermits) == nil {
		t.Error("no error for nonsense")
	}
	if _, err := shared.NewSemaphore(-1, false); err == nil {
		t.Error("a negative semaphore")
	}
}

func TestSemaphoreBound(t *testing.T) {
	t.Parallel()
	s := newSemaphore(t, 1, true)
	if err := s.Release(1); !errors.Is(err, carrier.ErrTooManyPermits) {
		t.Errorf("over the bound: %v", err)
	}
	take(t, s)
	if err := s.Release(2); !errors.Is(err, carrier.ErrTooManyPermits) || s.Available() != 0 {
		t.Errorf("over the bound: %v", err)
	}
	if err := s.Release(1); err != nil || s.Available() != 1 {
		t.Error(err)
	}
	if err := s.Return(0); !errors.Is(err, carrier.ErrTooManyPermits) || s.Available() != 1 {
		t.Errorf("over the bound: %v", err)
	}
}

func TestSemaphorePermitsOfTheDeadComeBack(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(*child){"its parent says so": (*child).kill, "nobody says so": (*child).killUnnoticed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, e := newSemaphore(t, 3, true), newEvent(t)
			c := play(t, "permits", []*os.File{s.File(), e.File()}, "3")
			if err := e.Wait(soon(t)); err != nil {
				t.Fatal(err)
			}
			c.Process.Signal(syscall.SIGSTOP)
			c.stops()
			time.Sleep(50 * time.Millisecond) // who looks every 20 ms has looked
			if _, ok := s.TryAcquire(); ok || s.Available() != 0 {
				t.Fatal("a stopped process has lost its permits")
			}
			go func() {
				time.Sleep(10 * time.Millisecond)
				kill(c)
			}()
			for range 3 {
				take(t, s)
			}
			if _, ok := s.TryAcquire(); ok || s.Available() != 0 {
				t.Errorf("more permits than there were: %d more", s.Available())
			}
		})
	}
}

// What was given back in the place of a hold does not count twice when its holder dies.
func TestSemaphoreBoundAndDeath(t *testing.T) {
	t.Parallel()
	s, e := newSemaphore(t, 1, true), newEvent(t)
	c := play(t, "permits", []*os.File{s.File(), e.File()}, "1")
	must(e.Wait(soon(t)))
	must(s.Release(1))
	c.kill()
	if n := s.Available(); n != 1 {
		t.Errorf("%d available", n)
	}
	take(t, s)
	if _, ok := s.TryAcquire(); ok {
		t.Error("two permits of one")
	}
}

func TestSemaphoreNeverGivesMoreThanItHas(t *testing.T) {
	t.Parallel()
	s := newSemaphore(t, 3, false)
	var inside, most atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 2000 {
				take(t, s)
				most.Store(max(most.Load(), inside.Add(1)))
				inside.Add(-1)
				if err := s.Return(0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if most.Load() > 3 || s.Available() != 3 {
		t.Errorf("%d inside at a time, %d available", most.Load(), s.Available())
	}
}

func TestSemaphoreReleaseWakesAsMany(t *testing.T) {
	t.Parallel()
	s := newSemaphore(t, 0, false)
	var done atomic.Int32
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() { take(t, s); done.Add(1) })
	}
	time.Sleep(20 * time.Millisecond)
	must(s.Release(3))
	time.Sleep(50 * time.Millisecond)
	if n := done.Load(); n != 3 {
		t.Errorf("%d of 5 have got one of 3 permits", n)
	}
	must(s.Release(2))
	wait.Wait()
}
