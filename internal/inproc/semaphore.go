package inproc

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// Semaphore is a number of permits.
//
// A goroutine that comes just as a permit is free may take it. A permit that comes back is handed
// to a goroutine that has waited for a millisecond; others are woken to take it if they can. As
// long as permits are free and goroutines wait, as many of the first of these are awake.
type Semaphore struct {
	processLocal
	mu      sync.Mutex
	free    int64 // those held are not counted: they may be used up
	initial int64
	bounded bool
	token   uint64
	waiters waitQueue[uint64]
}

// NewSemaphore makes a semaphore with that number of permits, from 0 to carrier.MaxPermits.
func NewSemaphore(permits int, bounded bool) *Semaphore {
	return &Semaphore{free: int64(permits), initial: int64(permits), bounded: bounded}
}

// TryAcquire takes a permit if one is free.
func (s *Semaphore) TryAcquire() (carrier.Grant, bool) {
	s.mu.Lock()
	token, ok := s.take()
	s.mu.Unlock()
	return carrier.Grant{Token: token}, ok
}

// take is TryAcquire with the mutex held.
func (s *Semaphore) take() (token uint64, ok bool) {
	if s.free == 0 {
		return 0, false
	}
	s.free--
	s.token++
	return s.token, true
}

// Acquire takes a permit. It waits for one until ctx ends.
func (s *Semaphore) Acquire(ctx context.Context) (carrier.Grant, error) {
	if err := ctx.Err(); err != nil {
		return carrier.Grant{}, err
	}
	if g, ok := s.TryAcquire(); ok {
		return g, nil
	}
	w := s.waiters.newWaiter(0)
	defer s.waiters.recycle(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiters.push(w)
	for {
		if w.value != 0 {
			return carrier.Grant{Token: w.value}, nil
		}
		if token, ok := s.take(); ok {
			s.waiters.remove(w)
			return carrier.Grant{Token: token}, nil
		}
		if err := ctx.Err(); err != nil {
			s.waiters.remove(w)
			return carrier.Grant{}, err
		}
		s.mu.Unlock()
		w.wait(ctx)
		s.mu.Lock()
	}
}

// Return gives back the permit of one Acquire.
func (s *Semaphore) Return(uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bounded && s.free >= s.initial {
		return carrier.ErrTooManyPermits
	}
	s.wakeWaiters(1)
	return nil
}

// Release adds n permits.
func (s *Semaphore) Release(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bounded && int64(n) > s.initial-s.free {
		return carrier.ErrTooManyPermits
	}
	if int64(n) > carrier.MaxPermits-s.free {
		return fmt.Errorf("mp: Semaphore.Release: there would be more than %d permits: %w", carrier.MaxPermits, fs.ErrInvalid)
	}
	s.wakeWaiters(int64(n))
	return nil
}

// wakeWaiters gives n permits back, to waiting goroutines first. The mutex is held.
func (s *Semaphore) wakeWaiters(n int64) {
	s.free += n
	for w := s.waiters.first(); w != nil && s.free > 0 && w.overdue(); w = s.waiters.first() {
		w.value, _ = s.take()
		s.waiters.remove(w)
		w.signal()
	}
	w := s.waiters.first()
	for range s.free {
		if w == nil {
			return
		}
		w.signal()
		w = w.node.Next()
	}
}

// Available is the number of permits that nobody holds.
func (s *Semaphore) Available() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(min(s.free, math.MaxInt))
}
