package carrier

import (
	"context"
	"math"
)

// MaxPermits is how many permits a semaphore can have.
const MaxPermits = math.MaxInt32

// Semaphore is what a Semaphore is made of.
type Semaphore interface {
	Object
	Acquire(ctx context.Context) (Grant, error)
	TryAcquire() (Grant, bool)
	// Return gives back the permit of one acquisition of this process. ErrTooManyPermits.
	Return(token uint64) error
	// Release adds n permits. ErrTooManyPermits.
	Release(n int) error
	Available() int
}
