package inproc

import (
	"context"
	"sync"
	"sync/atomic"
)

// Event is a flag to wait for.
type Event struct {
	processLocal
	set     atomic.Bool
	mu      sync.Mutex // of changing it, and of what follows
	nextSet broadcast  // opens by the next Set
	watches map[*func()]struct{}
}

// NewEvent makes an event that is not set.
func NewEvent() *Event { return new(Event) }

// Set sets the flag, and frees all who wait.
func (e *Event) Set() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set.Store(true)
	e.nextSet.notifyAll()
	for notify := range e.watches {
		(*notify)()
	}
	return nil
}

// Clear takes the flag back.
func (e *Event) Clear() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set.Store(false)
	return nil
}

// IsSet says whether the flag is set.
func (e *Event) IsSet() bool { return e.set.Load() }

// Wait waits until the flag is set, or was set meanwhile.
func (e *Event) Wait(ctx context.Context) error {
	if e.set.Load() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	if e.set.Load() {
		e.mu.Unlock()
		return nil
	}
	way := e.nextSet.join()
	e.mu.Unlock()
	return e.nextSet.wait(ctx, &e.mu, way)
}

// Watch calls notify, which does not block, at each Set, until stop is called.
func (e *Event) Watch(notify func()) (stop func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.watches == nil {
		e.watches = make(map[*func()]struct{})
	}
	e.watches[&notify] = struct{}{}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watches, &notify)
	}
}
