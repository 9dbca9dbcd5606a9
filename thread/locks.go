package thread

import (
	"fmt"
	"io/fs"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// NewBarrier makes an mp.Barrier for goroutines of this process, as Python's threading.Barrier. It does not
// wait, costs some ten nanoseconds and no descriptor, and needs no mp.Main. The error is fs.ErrInvalid if
// parties is less than 1 or more than 1,048,576.
//
// If a goroutine ends before it comes to the barrier, the others wait until the ctx of one of them ends or Abort
// is called. A process cannot receive a Barrier of this package, neither in an input nor in a message: use
// mp.NewBarrier.
func NewBarrier(parties int) (*mp.Barrier, error) {
	if parties < 1 || parties > carrier.MaxParties {
		return nil, fmt.Errorf("mp: a barrier of %d parties: %w: it needs 1 to %d", parties, fs.ErrInvalid, carrier.MaxParties)
	}
	return hooks.Barrier(inproc.NewBarrier(parties)).(*mp.Barrier), nil
}

// NewCondition makes an mp.Condition on a lock, as Python's threading.Condition. If l is nil it makes a Lock by
// NewLock, which does not nest. It does not wait, and costs some ten nanoseconds and no descriptor.
//
// Any number of goroutines may wait for it, and Notify never wakes more of them than it was told to.
//
// The error is mp.ErrClosed for a Lock that no constructor made. For a Lock of package mp this is
// mp.NewCondition, with its costs and errors. A process cannot receive a Condition on a Lock of this package,
// neither in an input nor in a message: use mp.NewCondition.
func NewCondition(l *mp.Lock) (*mp.Condition, error) {
	if l == nil {
		l, _ = NewLock()
	}
	return mp.NewCondition(l)
}

// NewRLockCondition is NewCondition on an RLock, as Python's Condition() makes one: see mp.NewRLockCondition.
func NewRLockCondition(l *mp.RLock) (*mp.Condition, error) { return mp.NewRLockCondition(l) }

// NewEvent makes an mp.Event that is not set, for goroutines of this process, as Python's threading.Event. It
// does not wait, costs some ten nanoseconds and no descriptor, and needs no mp.Main. The error is always nil.
//
// A process cannot receive it, neither in an input nor in a message: use mp.NewEvent.
func NewEvent() (*mp.Event, error) { return hooks.Event(inproc.NewEvent()).(*mp.Event), nil }

// NewLock makes a free mp.Lock for goroutines of this process, as Python's threading.Lock. It does not wait,
// costs some ten nanoseconds and no descriptor, and needs no mp.Main. The error is always nil: it lets a program
// move to mp.NewLock and back by changing only the package name.
//
// A Hold of this lock is never Abandoned, because a goroutine does not die alone. A goroutine that panics or
// ends without Release keeps the lock held: release by defer, or use Do. Owner returns this process. Deadlocks
// among goroutines are not detected: when a wait ends with its ctx, the error says only that another goroutine
// has the lock.
//
// A process cannot receive it, neither in an input nor in a message: use mp.NewLock.
func NewLock() (*mp.Lock, error) { return hooks.Lock(inproc.NewLock()).(*mp.Lock), nil }

// NewRLock makes a free mp.RLock for goroutines of this process, as Python's threading.RLock. As with every
// mp.RLock, the ctx that Acquire returns identifies the owner. All else is as with NewLock.
func NewRLock() (*mp.RLock, error) { return hooks.RLock(inproc.NewRLock()).(*mp.RLock), nil }

// NewSemaphore makes an mp.Semaphore with the given number of permits, which may be 0, for goroutines of this
// process, as Python's threading.Semaphore. It does not wait, costs some ten nanoseconds and no descriptor, and
// needs no mp.Main. The error is fs.ErrInvalid if permits is negative or over 2,147,483,647.
//
// A goroutine that panics or ends with a permit keeps it: release by defer. A process cannot receive a Semaphore
// of this package, neither in an input nor in a message: use mp.NewSemaphore.
func NewSemaphore(permits int) (*mp.Semaphore, error) { return newSemaphore(permits, false) }

// NewBoundedSemaphore is NewSemaphore with a bound, as Python's threading.BoundedSemaphore: a Release that would
// make more permits available than at the beginning returns mp.ErrFull.
func NewBoundedSemaphore(permits int) (*mp.Semaphore, error) { return newSemaphore(permits, true) }

func newSemaphore(permits int, bounded bool) (*mp.Semaphore, error) {
	if permits < 0 || permits > carrier.MaxPermits {
		return nil, fmt.Errorf("mp: a semaphore of %d permits: %w: it may have 0 to %d", permits, fs.ErrInvalid, carrier.MaxPermits)
	}
	return hooks.Semaphore(inproc.NewSemaphore(permits, bounded)).(*mp.Semaphore), nil
}
