package mp

import (
	"context"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// Barrier lets a number of parties wait for each other, round after round, as Python's
// multiprocessing.Barrier. A party is a goroutine of any process that has the barrier.
//
// The barrier breaks when the ctx of a waiting party ends, when a process dies that waits or runs the
// action, and by Abort or Reset. Then Wait returns ErrBroken to all waiting parties, and to all that
// come later, until Reset. A party that has passed stays passed.
//
// Parties beyond the number wait for the next round, in no particular order. A stopped process
// (SIGSTOP) is not dead: a round waits for it.
//
// A Barrier is shareable as a Lock is. Its methods are safe for concurrent use.
type Barrier struct {
	_       [0]sync.Mutex // a Barrier must not be copied
	carrier carrier.Barrier
	closed  atomic.Bool // this handle was closed
}

// NewBarrier makes a Barrier for the given number of parties, 1 to 1,048,576; any other number is
// fs.ErrInvalid. It costs what NewLock costs and has its errors.
func NewBarrier(parties int) (*Barrier, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	if parties < 1 || parties > carrier.MaxParties {
		return nil, fmt.Errorf("mp: a barrier of %d parties: %w: it needs 1 to %d", parties, fs.ErrInvalid, carrier.MaxParties)
	}
	c, err := shared.NewBarrier(parties)
	if err != nil {
		return nil, err
	}
	return listed(&Barrier{carrier: c}), nil
}

func (b *Barrier) made() bool { return b != nil && b.carrier != nil && !b.closed.Load() }

// open is for methods that return no error: nil if the handle was closed.
func (b *Barrier) open() carrier.Barrier {
	switch {
	case b == nil || b.carrier == nil:
		panic(notMade("Barrier"))
	case b.closed.Load():
		return nil
	}
	return b.carrier
}

// Wait waits until all parties have come. place is from 0 to Parties-1, another for each
// party of a round. A goroutine that waits costs no thread.
//
// The error is ErrBroken. That of a party whose ctx ended is also ctx's, and the barrier is
// broken for the others. It is the same for a ctx that was done at entry, but such a party has
// not come, and breaks nothing.
func (b *Barrier) Wait(ctx context.Context) (place int, err error) {
	needCtx(ctx, "Barrier.Wait")
	return b.WaitDo(ctx, nil)
}

// WaitDo is Wait with an action that runs once in each round, before anybody goes on: the
// one of the last to come, in its goroutine. If it panics, ends its goroutine or returns an
// error, the barrier breaks: WaitDo returns that error, and the others have ErrBroken.
// If the barrier breaks while the action runs, WaitDo returns ErrBroken after it.
func (b *Barrier) WaitDo(ctx context.Context, action func() error) (place int, err error) {
	needCtx(ctx, "Barrier.WaitDo")
	if !b.made() {
		return 0, b.Err()
	}
	return b.carrier.Wait(ctx, action)
}

// Abort breaks the barrier. It does not wait. The error is always nil, but for a Barrier
// that was not made by NewBarrier.
func (b *Barrier) Abort() error {
	if !b.made() {
		return b.Err()
	}
	return b.carrier.Abort()
}

// Reset makes the barrier as new: waiting parties get ErrBroken, and later ones begin a round. It does not
// wait. The error is that of Abort.
func (b *Barrier) Reset() error {
	if !b.made() {
		return b.Err()
	}
	return b.carrier.Reset()
}

// Parties returns how many parties make a round. It never changes.
func (b *Barrier) Parties() int {
	if c := b.open(); c != nil {
		return c.Parties()
	}
	return 0
}

// Waiting returns how many parties wait at the moment; 0 if the barrier is broken. It costs some
// nanoseconds for each of them, and a system call for each of their processes.
func (b *Barrier) Waiting() int {
	if c := b.open(); c != nil {
		return c.Waiting()
	}
	return 0
}

// Broken says whether the barrier is broken at the moment. It costs as much as Waiting.
func (b *Barrier) Broken() bool {
	c := b.open()
	return c != nil && c.Broken()
}

// Err is nil, or why the barrier cannot be used through this handle: it is ErrClosed after Close, and ErrLost
// when what holds the barrier is gone. It does not wait. A method without an error has answered zero then.
func (b *Barrier) Err() error {
	if b == nil {
		return notMade("Barrier")
	}
	return errOf("Barrier", b.carrier, &b.closed)
}

// Close lets go of this handle at once, with its descriptor if it was the last one of this process; the
// garbage collector does the same later. Other handles, here and elsewhere, stay as they are. Methods answer
// ErrClosed from now on, or zero, while calls that wait go on.
// Closing again does nothing. It does not wait, and the error is nil for what NewBarrier has made.
func (b *Barrier) Close() error {
	if b == nil {
		return nil
	}
	return closeHandle(b.carrier, &b.closed)
}

func (b *Barrier) share(to *codec.Buffer) error {
	return shareCarrier(to, "Barrier", b.carrier, &b.closed)
}

func (b *Barrier) adopt(k carrier.Kind, r *codec.Reader) error { return adoptCarrier(&b.carrier, k, r) }

func (b *Barrier) list() { list(b) }
