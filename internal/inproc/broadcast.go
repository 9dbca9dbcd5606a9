package inproc

import (
	"context"
	"sync"
)

// broadcast is where goroutines wait until all of them are woken. The mutex of what they wait for
// guards it. It keeps no channel while none waits: a channel belongs to the bubble of
// testing/synctest in which it was made, and a broadcast may outlive a bubble.
type broadcast struct {
	ch      chan struct{} // closed by notifyAll; nil: no goroutine waits
	waiters int
}

// join adds a waiter, which then calls wait without the mutex.
func (g *broadcast) join() (ch chan struct{}) {
	if g.ch == nil {
		g.ch = make(chan struct{})
	}
	g.waiters++
	return g.ch
}

// wait waits for notifyAll, or until ctx ends before that.
func (g *broadcast) wait(ctx context.Context, mu sync.Locker, ch chan struct{}) error {
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
	}
	mu.Lock()
	defer mu.Unlock()
	if g.ch != ch {
		return nil // notifyAll came meanwhile
	}
	if g.waiters--; g.waiters == 0 {
		g.ch = nil
	}
	return ctx.Err()
}

// notifyAll wakes all waiters. Later ones wait for the next call.
func (g *broadcast) notifyAll() {
	if g.ch != nil {
		close(g.ch)
	}
	g.ch, g.waiters = nil, 0
}
