package thread

import (
	"context"
	"errors"
	"sync"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/key"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// NewCondition makes an mp.Condition of a lock of NewLock, or with nil, of a lock of its own,
// as Python's threading.Condition: that is a Lock, which does not nest. It does not wait,
// and costs some ten nanoseconds and no descriptor.
//
// Any number of goroutines may wait for it. None of them is woken more than was notified.
//
// The error is mp.ErrClosed for a Lock that was not made by NewLock. A Lock of package mp is
// an error as well, and a Lock of this package one for mp.NewCondition. In the input of a
// process, or in a message to one, the Condition is an error: use mp.NewCondition.
func NewCondition(l *mp.Lock) (*mp.Condition, error) {
	if l == nil {
		l, _ = NewLock()
	}
	switch of := mp.LockCarrier(key.Key{}, l).(type) {
	case *lock:
		return mp.CarryCondition(key.Key{}, l, &condition{lock: of}), nil
	case nil:
		_, err := l.Acquire(context.Background()) // of a lock that was not made
		return nil, err
	}
	return nil, errors.New("mp: a Lock of package mp is for processes: use mp.NewCondition, or a Lock of thread.NewLock")
}

// NewRLockCondition is NewCondition of an RLock of NewRLock, as Python's threading.Condition makes one:
// see mp.NewRLockCondition.
func NewRLockCondition(l *mp.RLock) (*mp.Condition, error) {
	switch of := mp.RLockCarrier(key.Key{}, l).(type) {
	case *lock:
		return mp.CarryRLockCondition(key.Key{}, l, &condition{lock: of}), nil
	case nil:
		_, _, err := l.Acquire(context.Background()) // of a lock that was not made
		return nil, err
	}
	return nil, errors.New("mp: an RLock of package mp is for processes: use mp.NewRLockCondition, or an RLock of thread.NewRLock")
}

// condition is what goroutines wait for that have a lock, until others notify them.
type condition struct {
	lock *lock
	mu   sync.Mutex
	line sleepers[struct{}]
}

// Wait gives the acquisition with that token up, waits until it is notified, and
// takes the lock again. On an error the lock is not held.
func (c *condition) Wait(ctx context.Context, token uint64) (shared.Grip, error) {
	if !c.lock.Holds(token) {
		return shared.Grip{}, shared.ErrNotHeld
	}
	if err := ctx.Err(); err != nil {
		c.lock.Release(token)
		return shared.Grip{}, err
	}
	w := c.line.sleeper(struct{}{})
	defer c.line.done(w)
	c.mu.Lock()
	c.line.push(w)
	c.mu.Unlock()
	if !c.lock.Release(token) { // by another goroutine, meanwhile
		c.quit(w)
		return shared.Grip{}, shared.ErrNotHeld
	}
	if err := w.rest(ctx); err != nil {
		c.quit(w)
		return shared.Grip{}, err
	}
	g, err := c.lock.relock(ctx)
	if err != nil {
		c.quit(w)
		return shared.Grip{}, err
	}
	return g, nil
}

// quit ends the waiting of a goroutine. If it was notified, the next is instead.
func (c *condition) quit(w *sleeper[struct{}]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.line.remove(w) {
		c.grant(1)
	}
}

// grant wakes the first n of those who wait.
func (c *condition) grant(n int) {
	for ; n > 0; n-- {
		w := c.line.pop()
		if w == nil {
			return
		}
		w.call()
	}
}

// Notify wakes n of those who wait, if there are as many. The acquisition with that token
// must not have ended.
func (c *condition) Notify(token uint64, n int) error {
	if !c.lock.Holds(token) {
		return shared.ErrNotHeld
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grant(n)
	return nil
}
