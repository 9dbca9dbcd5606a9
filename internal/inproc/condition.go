package inproc

import (
	"context"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// Condition is where goroutines that have a lock wait until others notify them.
type Condition struct {
	processLocal
	lock    *Lock
	mu      sync.Mutex
	waiters waitQueue[struct{}]
}

// Wait releases the acquisition with that token, waits for a notification, and acquires the lock
// again. After an error the lock is not held.
func (c *Condition) Wait(ctx context.Context, token uint64) (carrier.Grant, error) {
	if !c.lock.Holds(token) {
		return carrier.Grant{}, carrier.ErrNotOwner
	}
	if err := ctx.Err(); err != nil {
		c.lock.Release(token)
		return carrier.Grant{}, err
	}
	w := c.waiters.newWaiter(struct{}{})
	defer c.waiters.recycle(w)
	c.mu.Lock()
	c.waiters.push(w)
	c.mu.Unlock()
	if c.lock.Release(token) != nil { // by another goroutine, meanwhile
		c.giveUp(w)
		return carrier.Grant{}, carrier.ErrNotOwner
	}
	if err := w.wait(ctx); err != nil {
		c.giveUp(w)
		return carrier.Grant{}, err
	}
	g, err := c.lock.acquireAgain(ctx)
	if err != nil {
		c.giveUp(w)
		return carrier.Grant{}, err
	}
	return g, nil
}

// Mutex is the condition's lock.
func (c *Condition) Mutex() carrier.Lock { return c.lock }

// giveUp ends the wait of a goroutine. If it was notified, the notification goes to the next.
func (c *Condition) giveUp(w *waiter[struct{}]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.waiters.remove(w) {
		c.grant(1)
	}
}

// grant notifies the n goroutines that have waited longest. The mutex is held.
func (c *Condition) grant(n int) {
	for ; n > 0; n-- {
		w := c.waiters.pop()
		if w == nil {
			return
		}
		w.signal()
	}
}

// Notify wakes n of the waiting goroutines, if there are as many. The acquisition with that token
// must not have ended.
func (c *Condition) Notify(token uint64, n int) error {
	if !c.lock.Holds(token) {
		return carrier.ErrNotOwner
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grant(n)
	return nil
}
