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
	nextSet broadcast  // notified by the next Set
	watches map[*func()]struct{}
}

// NewEvent makes an event that is not set.
func NewEvent() *Event { return new(Event) }

// Set sets the flag, and wakes all waiters.
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

// Clear clears the flag.
func (e *Event) Clear() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set.Store(false)
	return nil
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool { return e.set.Load() }

// Wait waits until the flag is set. A Set frees all waiters, also when a Clear follows at once.
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
	ch := e.nextSet.join()
	e.mu.Unlock()
	return e.nextSet.wait(ctx, &e.mu, ch)
}

// Watch calls notify at each Set, until stop is called. notify must not block.
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
