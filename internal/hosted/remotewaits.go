package hosted

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"runtime"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// Event is a hosted event. It implements carrier.Event.
type Event struct{ *remote }

// NewEvent makes an event in the server.
func (c *Client) NewEvent(ctx context.Context) (*Event, error) {
	return typedAs[*Event](c.create(ctx, Spec{Kind: KindEvent}, 0))
}

// Set implements carrier.Event.
func (e *Event) Set() error { return e.tell(frame{op: opSet}) }

// Clear implements carrier.Event.
func (e *Event) Clear() error { return e.tell(frame{op: opClear}) }

// IsSet implements carrier.Event.
func (e *Event) IsSet() bool { return e.is(frame{op: opIsSet}) }

// Wait implements carrier.Event.
func (e *Event) Wait(ctx context.Context) error {
	_, err := e.wait(ctx, frame{op: opWait})
	return err
}

// Watch implements carrier.Event.
func (e *Event) Watch(notify func()) (stop func()) { return e.watch(notify) }

// Barrier is a hosted barrier. It implements carrier.Barrier.
type Barrier struct{ *remote }

// NewBarrier makes a barrier in the server. The error is fs.ErrInvalid when there cannot be as many parties.
func (c *Client) NewBarrier(ctx context.Context, parties int) (*Barrier, error) {
	if parties < 1 || parties > carrier.MaxParties {
		return nil, fmt.Errorf("mp: a barrier of %d parties: %w", parties, fs.ErrInvalid)
	}
	return typedAs[*Barrier](c.create(ctx, Spec{Kind: KindBarrier, Size: parties}, 0))
}

// Wait implements carrier.Barrier. The action runs here, in the caller's goroutine.
func (b *Barrier) Wait(ctx context.Context, action func() error) (place int, err error) {
	q := request{frame: frame{op: opWait, handle: b.handle}, waits: true}
	var failed error
	if action != nil {
		q.m = 1
		q.act = func() error {
			failed = action()
			return failed
		}
	}
	r, err := b.client.do(ctx, &q)
	runtime.KeepAlive(b.remote)
	if err == nil {
		return int(min(r.n, math.MaxInt)), nil
	}
	if failed != nil && !errors.Is(err, carrier.ErrLost) {
		err = failed
	}
	return 0, err
}

// Abort implements carrier.Barrier.
func (b *Barrier) Abort() error { return b.tell(frame{op: opAbort}) }

// Reset implements carrier.Barrier.
func (b *Barrier) Reset() error { return b.tell(frame{op: opReset}) }

// Parties implements carrier.Barrier. It asks nobody.
func (b *Barrier) Parties() int { return int(min(b.number, carrier.MaxParties)) }

// Waiting implements carrier.Barrier.
func (b *Barrier) Waiting() int { return b.askNumber(opWaiting) }

// Broken implements carrier.Barrier.
func (b *Barrier) Broken() bool { return b.is(frame{op: opBroken}) }
