package thread

import (
	"fmt"
	"io/fs"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// NewBarrier makes an mp.Barrier for so many parties, for goroutines of this process, as
// Python's threading.Barrier. It does not wait, costs some ten nanoseconds and no
// descriptor, and needs no mp.Main. Less than 1 party, or more than 1,048,576, is
// fs.ErrInvalid.
//
// A goroutine that ends before it comes to the barrier is waited for until somebody's ctx
// ends, or Abort. In the input of a process, or in a message to one, a Barrier of this
// package is an error: use mp.NewBarrier.
func NewBarrier(parties int) (*mp.Barrier, error) {
	if parties < 1 || parties > carrier.MaxParties {
		return nil, fmt.Errorf("mp: a barrier of %d parties: %w", parties, fs.ErrInvalid)
	}
	return hooks.Barrier(inproc.NewBarrier(parties)).(*mp.Barrier), nil
}

// NewCondition makes an mp.Condition of a lock, or with nil, of a lock of its own, as Python's
// threading.Condition: that is a Lock of NewLock, which does not nest. It does not wait, and costs
// some ten nanoseconds and no descriptor.
//
// Any number of goroutines may wait for it. None of them is woken more than was notified.
//
// The error is mp.ErrClosed for a Lock that was not made by a constructor. A condition of a Lock of
// package mp is one of mp.NewCondition, with its costs and errors. In the input of a process, or in
// a message to one, a Condition of a Lock of this package is an error: use mp.NewCondition.
func NewCondition(l *mp.Lock) (*mp.Condition, error) {
	if l == nil {
		l, _ = NewLock()
	}
	return mp.NewCondition(l)
}

// NewRLockCondition is NewCondition of an RLock, as Python's threading.Condition makes one: see
// mp.NewRLockCondition.
func NewRLockCondition(l *mp.RLock) (*mp.Condition, error) { return mp.NewRLockCondition(l) }

// NewEvent makes an mp.Event that is not set, for goroutines of this process, as Python's
// threading.Event. It does not wait, costs some ten nanoseconds and no descriptor, and needs
// no mp.Main. The error is always nil.
//
// In the input of a process, or in a message to one, it is an error: use mp.NewEvent.
func NewEvent() (*mp.Event, error) { return hooks.Event(inproc.NewEvent()).(*mp.Event), nil }

// NewLock makes an mp.Lock that nobody has, for goroutines of this process. It is Python's
// threading.Lock, with everything that mp.Lock promises. It does not wait, costs some ten
// nanoseconds and no descriptor, and needs no mp.Main. The error is always nil: it is there
// so that a program moves to mp.NewLock and back by the name of the package alone.
//
// A Hold of it is never Abandoned: no goroutine dies and leaves the program behind. One that
// panics or ends while it holds the lock goes on holding it, so release by defer, or use Do.
// Owner is this process. Nobody looks for deadlocks among goroutines: a wait that ends with
// its ctx says only that another goroutine has the lock.
//
// In the input of a process, or in a message to one, it is an error: use mp.NewLock.
func NewLock() (*mp.Lock, error) { return hooks.Lock(inproc.NewLock()).(*mp.Lock), nil }

// NewRLock makes an mp.RLock that nobody has, for goroutines of this process, as Python's
// threading.RLock. Who owns it is said by the ctx that its Acquire returns, as with every
// mp.RLock. All else is as with NewLock.
func NewRLock() (*mp.RLock, error) { return hooks.RLock(inproc.NewRLock()).(*mp.RLock), nil }

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
	if permits < 0 || permits > carrier.MaxPermits {
		return nil, fmt.Errorf("mp: a semaphore of %d permits: %w", permits, fs.ErrInvalid)
	}
	return hooks.Semaphore(inproc.NewSemaphore(permits, bounded)).(*mp.Semaphore), nil
}
