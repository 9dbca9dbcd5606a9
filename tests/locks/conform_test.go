//go:build linux

package locks_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// What CPython's lock_tests say of locks, and what this package says besides.

func TestLockIsOneAtATime(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		l := testkit.Must(c.Lock())(t)
		var inside atomic.Int32
		sum, last := 0, uint64(0)
		testkit.Each(8, func(int) {
			for range 500 {
				h, err := l.Acquire(ctx)
				if err != nil || inside.Add(1) != 1 || !l.Locked() {
					t.Error("not alone:", err)
				}
				if h.Token() <= last || h.Abandoned() {
					t.Error("token", h.Token(), "after", last)
				}
				last = h.Token()
				sum++
				inside.Add(-1)
				if err := h.Release(); err != nil {
					t.Error(err)
				}
			}
		})
		if pid, held := l.Owner(); sum != 4000 || held || pid != 0 {
			t.Error(sum, pid, held)
		}
	})
}

func TestLockThatIsHeld(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		l := testkit.Must(c.Lock())(t)
		h := testkit.Must(l.Acquire(ctx))(t)
		testkit.Each(5, func(int) {
			if _, ok := l.TryAcquire(); ok {
				t.Error("acquired what is held")
			}
		})
		began := time.Now()
		_, err := l.Acquire(testkit.Shortly(t, 20*time.Millisecond))
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() == context.DeadlineExceeded.Error() || time.Since(began) < 20*time.Millisecond {
			t.Error("the error should say who has it:", err)
		}
		if pid, held := l.Owner(); pid != os.Getpid() || !held {
			t.Error(pid, held)
		}
		testkit.Each(1, func(int) { // another goroutine may release
			if err := h.Release(); err != nil {
				t.Error(err)
			}
		})
		spent := h
		h, ok := l.TryAcquire() // after a wait that timed out
		if err := spent.Release(); !errors.Is(err, mp.ErrNotOwner) || !l.Locked() {
			t.Error("another's acquisition was released:", err)
		}
		if !ok || h.Release() != nil || l.Locked() {
			t.Error("not free")
		}
	})
}

// However greedy the others are, a waiter gets it.
func TestLockDoesNotStarve(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		l := testkit.Must(c.Lock())(t)
		s := testkit.Must(c.Semaphore(1))(t)
		var stop atomic.Bool
		testkit.Each(4, func(i int) {
			if i < 2 { // greedy: it never stays without for long
				for !stop.Load() {
					h, err := l.Acquire(ctx)
					p, err2 := s.Acquire(ctx)
					if err != nil || err2 != nil {
						t.Error(err, err2)
						return
					}
					for began := time.Now(); time.Since(began) < 100*time.Microsecond; {
					}
					p.Release()
					h.Release()
				}
				return
			}
			for range 20 {
				if err := l.Do(ctx, func(mp.Hold) error { return nil }); err != nil {
					t.Error(err)
				}
				h, err := s.Acquire(ctx)
				if err != nil {
					t.Error(err)
				}
				h.Release()
			}
			if i == 3 {
				stop.Store(true)
			}
		})
	})
}

// A goroutine that has waited for a millisecond is not overtaken. On a busy machine it may come late:
// so it has to be seen once.
func TestLockIsHandedOver(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		l, s := testkit.Must(c.Lock())(t), testkit.Must(c.Semaphore(1))(t)
		for what, of := range map[string]struct {
			acquire func(context.Context) (mp.Hold, error)
			try     func() (mp.Hold, bool)
		}{"Lock": {l.Acquire, l.TryAcquire}, "Semaphore": {s.Acquire, s.TryAcquire}} {
			overtaken := 0
			for range 20 {
				h := testkit.Must(of.acquire(ctx))(t)
				got := make(chan mp.Hold)
				go func() {
					h, _ := of.acquire(ctx)
					got <- h
				}()
				testkit.UntilBlocked(t, 1, "Acquire")
				h.Release()
				if h, ok := of.try(); ok {
					overtaken++
					h.Release()
				}
				if err := (<-got).Release(); err != nil {
					t.Error(err)
				}
			}
			if overtaken == 20 {
				t.Error(what, ": who waits is overtaken each time")
			}
		}
	})
}

// Goroutines whose wait ends, early and late, take nothing and lose nothing.
func TestLockWaitsThatEnd(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		l, s := testkit.Must(c.Lock())(t), testkit.Must(c.BoundedSemaphore(2))(t)
		testkit.Each(6, func(i int) {
			for n := range 200 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration((n*7+i*13)%50)*time.Microsecond)
				if h, err := l.Acquire(ctx); err == nil {
					if err := h.Release(); err != nil {
						t.Error(err)
					}
				} else if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if h, err := s.Acquire(ctx); err == nil {
					if err := h.Release(); err != nil {
						t.Error(err)
					}
				} else if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				cancel()
			}
		})
		if l.Locked() || s.Available() != 2 {
			t.Error(l.Locked(), s.Available())
		}
		if h, ok := l.TryAcquire(); !ok || h.Release() != nil {
			t.Error("the lock is lost")
		}
	})
}

func TestRLockOwners(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		base := testkit.Ctx(t)
		r := testkit.Must(c.Rlock())(t)
		ctx, first, err := r.Acquire(base)
		if err != nil {
			t.Fatal(err)
		}
		holds := []mp.Hold{first}
		for range 100 {
			inner, h, err := r.Acquire(ctx)
			if err != nil || h.Token() != first.Token() {
				t.Fatal(err)
			}
			ctx, holds = inner, append(holds, h)
		}
		_, _, err = r.Acquire(testkit.Shortly(t, 5*time.Millisecond))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error("another owner:", err)
		}
		acquired := make(chan error)
		go func() {
			_, h, err := r.Acquire(base)
			h.Release()
			acquired <- err
		}()
		for _, h := range holds {
			if !r.Locked() {
				t.Error("free too early")
			}
			if err := h.Release(); err != nil {
				t.Error(err)
			}
		}
		if err := <-acquired; err != nil || r.Locked() {
			t.Error(err)
		}
		// Goroutines that share the owner's ctx share the lock.
		ctx, outer, ok := r.TryAcquire(base)
		if !ok {
			t.Fatal("not free")
		}
		testkit.Each(4, func(int) {
			for range 100 {
				_, h, err := r.Acquire(ctx)
				if err != nil || h.Release() != nil {
					t.Error(err)
				}
			}
		})
		if err := outer.Release(); err != nil || r.Locked() {
			t.Error(err)
		}
	})
}

func TestSemaphoreCounts(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		for name, s := range map[string]*mp.Semaphore{"plain": testkit.Must(c.Semaphore(7))(t), "bounded": testkit.Must(c.BoundedSemaphore(7))(t)} {
			var inside, most atomic.Int32
			testkit.Each(10, func(int) {
				for range 100 {
					h, err := s.Acquire(ctx)
					n := inside.Add(1)
					if err != nil || n > 7 {
						t.Error(name, n, err)
					}
					most.Store(max(most.Load(), n))
					inside.Add(-1)
					if err := h.Release(); err != nil {
						t.Error(name, err)
					}
				}
			})
			if s.Available() != 7 {
				t.Error(name, s.Available())
			}
		}
	})
}

func TestSemaphoreGrows(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		s := testkit.Must(c.Semaphore(0))(t)
		if _, ok := s.TryAcquire(); ok {
			t.Error("there was none")
		}
		if _, err := s.Acquire(testkit.Shortly(t, 5*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		acquired := make(chan error, 6)
		for range 6 {
			go func() {
				_, err := s.Acquire(ctx)
				acquired <- err
			}()
		}
		for _, n := range []int{1, 2, 3} {
			if err := s.Release(n); err != nil {
				t.Error(err)
			}
			for range n {
				if err := <-acquired; err != nil {
					t.Error(err)
				}
			}
			select {
			case <-acquired:
				t.Error("more than were released")
			default:
			}
		}
		if err := s.Release(5); err != nil || s.Available() != 5 {
			t.Error(err, s.Available())
		}
		if err := s.Release(math.MaxInt32); !errors.Is(err, fs.ErrInvalid) || s.Available() != 5 {
			t.Error("more permits than can be:", err, s.Available())
		}
		for _, n := range []int{0, -1, math.MinInt} {
			if err := s.Release(n); !errors.Is(err, fs.ErrInvalid) {
				t.Error(n, err)
			}
		}
	})
}

func TestSemaphoreBound(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		b := testkit.Must(c.BoundedSemaphore(2))(t)
		if err := b.Release(1); !errors.Is(err, mp.ErrFull) {
			t.Error(err)
		}
		h1, h2 := testkit.Must(b.Acquire(ctx))(t), testkit.Must(b.Acquire(ctx))(t)
		if h2.Token() <= h1.Token() {
			t.Error(h1.Token(), h2.Token())
		}
		if err := b.Release(3); !errors.Is(err, mp.ErrFull) || b.Available() != 0 {
			t.Error(err, b.Available())
		}
		if err := errors.Join(h1.Release(), h2.Release()); err != nil || b.Available() != 2 {
			t.Error(err, b.Available())
		}
		if err := h1.Release(); !errors.Is(err, mp.ErrNotOwner) || b.Available() != 2 {
			t.Error(err, b.Available())
		}
		none := testkit.Must(c.BoundedSemaphore(0))(t)
		if err := none.Release(1); !errors.Is(err, mp.ErrFull) {
			t.Error(err)
		}
		if err := testkit.ErrorOf(c.Semaphore(math.MinInt)); !errors.Is(err, fs.ErrInvalid) {
			t.Error(err)
		}
		if too := math.MaxInt; too > math.MaxInt32 {
			if err := testkit.ErrorOf(c.BoundedSemaphore(too)); !errors.Is(err, fs.ErrInvalid) {
				t.Error(err)
			}
		}
	})
}
