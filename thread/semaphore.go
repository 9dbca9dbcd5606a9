package thread

import (
	"fmt"
	"io/fs"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
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
	if permits < 0 || permits > carrier.MaxPermits {
		return nil, fmt.Errorf("mp: a semaphore of %d permits: %w", permits, fs.ErrInvalid)
	}
	return hooks.Semaphore(inproc.NewSemaphore(permits, bounded)).(*mp.Semaphore), nil
}
