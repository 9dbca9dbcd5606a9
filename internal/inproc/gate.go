package inproc

import (
	"context"
	"sync"
)

// gate is where goroutines wait until it opens for all of them. The mutex of what they wait
// for guards it. It keeps nothing when nobody waits: a channel belongs to the
// testing/synctest bubble in which it was made, and a gate may outlive a bubble.
type gate struct {
	way   chan struct{} // is closed as the gate opens; nil: nobody waits
	waits int
}

// enter is one more goroutine that waits. It is to call wait, without the mutex.
func (g *gate) enter() (way chan struct{}) {
	if g.way == nil {
		g.way = make(chan struct{})
	}
	g.waits++
	return g.way
}

// wait waits until the gate opens, or until ctx ends before that.
func (g *gate) wait(ctx context.Context, mu sync.Locker, way chan struct{}) error {
	select {
	case <-way:
		return nil
	case <-ctx.Done():
	}
	mu.Lock()
	defer mu.Unlock()
	if g.way != way {
		return nil // it has opened meanwhile
	}
	if g.waits--; g.waits == 0 {
		g.way = nil
	}
	return ctx.Err()
}

// open lets all go on who wait. Who comes later waits until it opens again.
func (g *gate) open() {
	if g.way != nil {
		close(g.way)
	}
	g.way, g.waits = nil, 0
}
