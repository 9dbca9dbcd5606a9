package shared

import (
	"context"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Event is a flag to wait for.
//
// Its memory is one word: bit 0 is the flag, and the others count how often it was set, so that a
// waiter sees a Set also when a Clear has followed at once.
type Event struct {
	object  *waitq.Object
	word    *atomic.Uint64
	waiters *waitq.Queue
	edge    raceEdge
}

var eventShape = waitq.Shape{Name: "event", Kind: kindEvent}

// NewEvent makes an event that is not set.
func NewEvent() (*Event, error) {
	o, err := waitq.NewObject(eventShape, eventCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Event), nil
}

// OpenEvent returns the event that another process has sent.
func OpenEvent(f *os.File) (*Event, error) {
	o, err := waitq.OpenObject(f, kindEvent, func([4]uint64) (waitq.Shape, error) { return eventShape, nil }, eventCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Event), nil
}

func eventCore(o *waitq.Object) any {
	e := &Event{object: o, word: o.Word(waitq.StateAt)}
	e.waiters = waitq.NewQueue(o, 0, nil)
	return e
}

// File is what another process needs to open the event.
func (e *Event) File() *os.File { return e.object.File() }

// Set sets the flag, and wakes all waiters.
func (e *Event) Set() error {
	e.edge.release()
	for {
		v := e.word.Load()
		if e.word.CompareAndSwap(v, v|1+2) {
			break
		}
	}
	shm.Point("event.set")
	e.waiters.WakeAll()
	runtime.KeepAlive(e)
	return nil
}

// Clear clears the flag.
func (e *Event) Clear() error {
	e.word.And(^uint64(1))
	runtime.KeepAlive(e)
	return nil
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool {
	set := e.word.Load()&1 != 0
	if set {
		e.edge.acquire()
	}
	runtime.KeepAlive(e)
	return set
}

// Wait waits until the flag is set. A Set frees all waiters, also when a Clear follows at once.
func (e *Event) Wait(ctx context.Context) error {
	begin := e.word.Load()
	if begin&1 == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.waiters.Wait(ctx, func(bool) bool { return e.word.Load()>>1 != begin>>1 }); err != nil {
			return err
		}
	}
	e.edge.acquire()
	runtime.KeepAlive(e)
	return nil
}

// Watch calls notify when the flag may have been set, until stop is called. notify must not block.
func (e *Event) Watch(notify func()) (stop func()) { return e.waiters.Watch(e.IsSet, notify) }
