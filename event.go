package mp

import (
	"context"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/shared"
	"github.com/gomultiprocessing/mp/internal/wire"
)

// Event is a flag that goroutines of all processes that have it can wait for, as Python's
// multiprocessing.Event. It can be given to Select.
//
// An Event is shareable as a Lock is. A process that dies while it waits, or just after it
// has set the flag, is in nobody's way. All methods may be called by any number of
// goroutines.
type Event struct {
	_       [0]sync.Mutex // an Event must not be copied
	carrier carrier.Event
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
	return &Event{carrier: c}, nil
}

func (e *Event) made() bool { return e != nil && e.carrier != nil }

// mustBeMade is for methods that return no error.
func (e *Event) mustBeMade() carrier.Event {
	if !e.made() {
		panic(notMade("Event"))
	}
	return e.carrier
}

// Set sets the flag, and frees all who wait, also when Clear follows at once. What went
// before it has happened for those who are freed. It does not wait, and costs some ten
// nanoseconds, and a system call for each process that waits.
func (e *Event) Set() { e.mustBeMade().Set() }

// Clear takes the flag back. It does not wait.
func (e *Event) Clear() { e.mustBeMade().Clear() }

// IsSet says whether the flag is set at the moment. It does not wait.
func (e *Event) IsSet() bool { return e.mustBeMade().IsSet() }

// Wait waits until the flag is set, or until ctx ends; if it is set it returns at once. It
// takes nothing: all who wait are freed by one Set, in no order. A goroutine that
// waits costs no thread.
//
// The error is ctx's. Wait looks once before it looks at ctx: for a flag that is set it is nil also
// when ctx was done at entry.
func (e *Event) Wait(ctx context.Context) error {
	needCtx(ctx, "Event.Wait")
	if !e.made() {
		return notMade("Event")
	}
	if err := e.carrier.Wait(ctx); err != nil {
		return errtext.Errorf("mp: Event.Wait: %w", err)
	}
	return nil
}

func (e *Event) selectable() source {
	if e.carrier == nil {
		return source{}
	}
	return source{ready: e.carrier.IsSet, watch: e.carrier.Watch}
}

func (e *Event) share(b *wire.Buffer) error { return shareCarrier(b, "Event", e.carrier) }

func (e *Event) adopt(k carrier.Kind, r *wire.Reader) error { return adoptCarrier(&e.carrier, k, r) }
