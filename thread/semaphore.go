package thread

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"sync"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/key"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// NewSemaphore makes an mp.Semaphore with so many permits, which may be none, for goroutines
// of this process, as Python's threading.Semaphore. It does not wait, costs some ten
// nanoseconds and no descriptor, and needs no mp.Main. The error is fs.ErrInvalid when
// permits is negative or over 2,147,483,647.
//
// A goroutine that panics or ends with a permit keeps it: release by defer. In the input of
// a process, or in a message to one, a Semaphore of this package is an error: use
// mp.NewSemaphore.
func NewSemaphore(permits int) (*mp.Semaphore, error) { return newSemaphore(permits, false) }

// NewBoundedSemaphore is NewSemaphore with the promise that never more permits are
// available than at the beginning, as Python's threading.BoundedSemaphore: what would make
// it so is mp.ErrFull.
func NewBoundedSemaphore(permits int) (*mp.Semaphore, error) { return newSemaphore(permits, true) }

func newSemaphore(permits int, bounded bool) (*mp.Semaphore, error) {
	if permits < 0 || permits > shared.MaxPermits {
		return nil, fmt.Errorf("mp: a semaphore of %d permits: %w", permits, fs.ErrInvalid)
	}
	return mp.CarrySemaphore(key.Key{}, &semaphore{free: int64(permits), initial: int64(permits), bounded: bounded}), nil
}

// semaphore is a number of permits.
//
// Who comes as a permit is free may take it. What comes back is handed to those who have
// waited for a millisecond; the others are woken to take it if they can. As long as permits
// are free and goroutines wait, so many of the first of these are awake.
type semaphore struct {
	mu      sync.Mutex
	free    int64 // those held are not counted: they may be used up
	initial int64
	bounded bool
	token   uint64
	line    sleepers[uint64]
}

// TryAcquire takes a permit if one is free.
func (s *semaphore) TryAcquire() (token uint64, ok bool) {
	s.mu.Lock()
	token, ok = s.take()
	s.mu.Unlock()
	return token, ok
}

// take is TryAcquire with the mutex held.
func (s *semaphore) take() (token uint64, ok bool) {
	if s.free == 0 {
		return 0, false
	}
	s.free--
	s.token++
	return s.token, true
}

// Acquire takes a permit, and waits for it until ctx ends.
func (s *semaphore) Acquire(ctx context.Context) (token uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if token, ok := s.TryAcquire(); ok {
		return token, nil
	}
	w := s.line.sleeper(0)
	defer s.line.done(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.push(w)
	for {
		if w.has != 0 {
			return w.has, nil
		}
		if token, ok := s.take(); ok {
			s.line.remove(w)
			return token, nil
		}
		if err := ctx.Err(); err != nil {
			s.line.remove(w)
			return 0, err
		}
		s.mu.Unlock()
		w.rest(ctx)
		s.mu.Lock()
	}
}

// Return gives back the permit of one Acquire.
func (s *semaphore) Return() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bounded && s.free >= s.initial {
		return shared.ErrBound
	}
	s.pass(1)
	return nil
}

// Release adds n permits.
func (s *semaphore) Release(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bounded && int64(n) > s.initial-s.free {
		return shared.ErrBound
	}
	if int64(n) > shared.MaxPermits-s.free {
		return fmt.Errorf("mp: a semaphore of more than %d permits: %w", shared.MaxPermits, fs.ErrInvalid)
	}
	s.pass(int64(n))
	return nil
}

// pass gives n permits to those who wait, as far as there are any.
func (s *semaphore) pass(n int64) {
	s.free += n
	for w := s.line.first; w != nil && s.free > 0 && w.patient(); w = s.line.first {
		w.has, _ = s.take()
		s.line.remove(w)
		w.call()
	}
	w := s.line.first
	for range s.free {
		if w == nil {
			return
		}
		w.call()
		w = w.next
	}
}

// Available is how many permits nobody holds.
func (s *semaphore) Available() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(min(s.free, math.MaxInt))
}
