package mp

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// Event is a flag that goroutines of any process that has it can wait for, as Python's
// multiprocessing.Event. Select takes it.
//
// An Event is shareable as a Lock is. A process that dies while it waits, or just after it has set the
// flag, disturbs no other. Its methods are safe for concurrent use.
type Event struct {
	_       [0]sync.Mutex // an Event must not be copied
	carrier carrier.Event
	closed  atomic.Bool // this handle was closed
}

// NewEvent makes an Event that is not set. Cost and errors are those of NewLock.
func NewEvent() (*Event, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	c, err := shared.NewEvent()
	if err != nil {
		return nil, err
	}
	return listed(&Event{carrier: c}), nil
}

func (e *Event) made() bool { return e != nil && e.carrier != nil && !e.closed.Load() }

// open is for methods that return no error: nil if the handle was closed.
func (e *Event) open() carrier.Event {
	switch {
	case e == nil || e.carrier == nil:
		panic(notMade("Event"))
	case e.closed.Load():
		return nil
	}
	return e.carrier
}

// Set sets the flag and frees all waiters, even if Clear follows at once. A freed waiter sees everything
// that happened before Set. Set does not wait. It costs some ten nanoseconds, and a system call for each
// process with waiters.
//
// The error is nil for an Event of NewEvent; a carrier that leaves the machine may fail. To set the flag by a timer:
//
//	time.AfterFunc(d, func() { e.Set() })
func (e *Event) Set() error {
	if !e.made() {
		return e.Err()
	}
	return e.carrier.Set()
}

// Clear clears the flag. It does not wait. The error is that of Set.
func (e *Event) Clear() error {
	if !e.made() {
		return e.Err()
	}
	return e.carrier.Clear()
}

// IsSet says whether the flag is set at the moment. It does not wait.
func (e *Event) IsSet() bool {
	c := e.open()
	return c != nil && c.IsSet()
}

// Wait waits until the flag is set, or until ctx ends. If the flag is set, it returns at once. One Set
// frees all waiters, in no particular order. A waiting goroutine costs no thread.
//
// The error is ctx's. Wait checks the flag once before it checks ctx: for a flag that is set it returns nil
// even if ctx has ended.
func (e *Event) Wait(ctx context.Context) error {
	needCtx(ctx, "Event.Wait")
	if !e.made() {
		return e.Err()
	}
	if err := e.carrier.Wait(ctx); err != nil {
		return errtext.Errorf("mp: Event.Wait: %w", err)
	}
	return nil
}

func (e *Event) selectable() source {
	switch {
	case e.carrier == nil:
		return source{}
	case e.closed.Load():
		return source{err: e.Err()}
	}
	return source{ready: e.carrier.IsSet, watch: e.carrier.Watch}
}

// Err is nil, or why the event cannot be used through this handle: it is ErrClosed after Close, and ErrLost
// when what holds the event is gone. It does not wait. A method without an error has answered zero then.
func (e *Event) Err() error {
	if e == nil {
		return notMade("Event")
	}
	return errOf("Event", e.carrier, &e.closed)
}

// Close lets go of this handle at once, with its descriptor if it was the last one of this process; the
// garbage collector does the same later. Other handles, here and elsewhere, stay as they are. Methods answer
// ErrClosed from now on, or zero, while calls that wait go on.
// Closing again does nothing. It does not wait, and the error is nil for what NewEvent has made.
func (e *Event) Close() error {
	if e == nil {
		return nil
	}
	return closeHandle(e.carrier, &e.closed)
}

func (e *Event) share(b *codec.Buffer) error { return shareCarrier(b, "Event", e.carrier, &e.closed) }

func (e *Event) adopt(k carrier.Kind, r *codec.Reader) error { return adoptCarrier(&e.carrier, k, r) }

func (e *Event) list() { list(e) }
