package inproc

import (
	"context"
	"sync"
)

// gate is where goroutines wait until it opens for all of them. The mutex of what they wait
// for guards it. It keeps nothing when nobody waits: a channel belongs to the
// testing/synctest bubble in which it was made, and a gate may outlive a bubble.
type broadcast struct {
	ch      chan struct{} // is closed as the gate opens; nil: nobody waits
	waiters int
}

// enter is one more goroutine that waits. It is to call wait, without the mutex.
func (g *broadcast) join() (way chan struct{}) {
	if g.ch == nil {
		g.ch = make(chan struct{})
	}
	g.waiters++
	return g.ch
}

// wait waits until the gate opens, or until ctx ends before that.
func (g *broadcast) wait(ctx context.Context, mu sync.Locker, way chan struct{}) error {
	select {
	case <-way:
		return nil
	case <-ctx.Done():
	}
	mu.Lock()
	defer mu.Unlock()
	if g.ch != way {
		return nil // it has opened meanwhile
	}
	if g.waiters--; g.waiters == 0 {
		g.ch = nil
	}
	return ctx.Err()
}

// open lets all go on who wait. Who comes later waits until it opens again.
func (g *broadcast) notifyAll() {
	if g.ch != nil {
		close(g.ch)
	}
	g.ch, g.waiters = nil, 0
}
