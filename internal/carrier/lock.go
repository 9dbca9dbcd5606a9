package carrier

import "context"

// Grant is an acquisition of a lock or of a permit.
type Grant struct {
	Token     uint64 // grows with each acquisition of the object
	Abandoned bool   // the owner before died holding the lock
}

// Lock is what a Lock is made of.
type Lock interface {
	Object
	Acquire(ctx context.Context) (Grant, error)
	TryAcquire() (Grant, bool)
	// Release ends the acquisition with that token. ErrNotOwner: it has ended already.
	Release(token uint64) error
	// Holds says whether the acquisition with that token goes on.
	Holds(token uint64) bool
	// NewCondition makes a condition of the lock.
	NewCondition() (Condition, error)
	// Held is the pid of the process that has the lock, and whether one has it.
	Held() (pid int, held bool)
}

// RLock is what an RLock is made of. Package mp does the nesting, by the ctx: below that it
// is a lock.
type RLock interface{ Lock }

// Condition is what a Condition is made of, besides its lock.
type Condition interface {
	Object
	// Wait ends the acquisition with that token, waits for a notification, and acquires
	// again. After an error, the lock is not held. ErrNotOwner: the acquisition has ended.
	Wait(ctx context.Context, token uint64) (Grant, error)
	// Mutex is the condition's lock.
	Mutex() Lock
	// Notify wakes n waiters, or all if there are fewer. ErrNotOwner as above.
	Notify(token uint64, n int) error
}
