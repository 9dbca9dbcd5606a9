package thread

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewEvent makes an mp.Event that is not set, for goroutines of this process, as Python's
// threading.Event. It does not wait, costs some ten nanoseconds and no descriptor, and needs
// no mp.Main. The error is always nil.
//
// In the input of a process, or in a message to one, it is an error: use mp.NewEvent.
func NewEvent() (*mp.Event, error) { return mp.CarryEvent(key.Key{}, new(event)), nil }

// event is a flag to wait for.
type event struct {
	set     atomic.Bool
	mu      sync.Mutex // of changing it, and of what follows
	next    gate       // opens by the next Set
	watches map[*func()]struct{}
}

// Set sets the flag, and frees all who wait.
func (e *event) Set() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set.Store(true)
	e.next.open()
	for notify := range e.watches {
		(*notify)()
	}
}

// Clear takes the flag back.
func (e *event) Clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set.Store(false)
}

// IsSet says whether the flag is set.
func (e *event) IsSet() bool { return e.set.Load() }

// Wait waits until the flag is set, or was set meanwhile.
func (e *event) Wait(ctx context.Context) error {
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
	way := e.next.enter()
	e.mu.Unlock()
	return e.next.wait(ctx, &e.mu, way)
}

// Watch calls notify, which does not block, at each Set, until stop is called.
func (e *event) Watch(notify func()) (stop func()) {
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
