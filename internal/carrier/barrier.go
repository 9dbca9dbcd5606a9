package carrier

import "context"

// MaxParties is how many parties a barrier can have.
const MaxParties = 1 << 20

// Barrier is what a Barrier is made of.
type Barrier interface {
	Object
	// Wait waits until all parties have come. The last one runs the action, unless it is
	// nil, before the others go on. ErrBarrierBroken, or a *LateError.
	Wait(ctx context.Context, action func() error) (place int, err error)
	Abort() error
	Reset() error
	Parties() int
	Waiting() int
	Broken() bool
}
