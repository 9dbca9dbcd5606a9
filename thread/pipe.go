package thread

import (
	"context"
	"runtime"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/key"
	"github.com/gomultiprocessing/mp/internal/pipe"
)

// NewPipe makes a pipe between goroutines of this process, of which both ends send and
// receive, as multiprocessing.dummy.Pipe. It does not wait, costs some hundred nanoseconds
// and no descriptor, and needs no mp.Main. The error is always nil.
//
// A value is not copied: what it points to is the same on the other side. Bytes are, once, so
// that those given to SendBytes are the caller's again. Send and SendBytes wait while 1,024
// messages, or 1 MiB of bytes, are sent and not yet received; a message of more bytes than
// that goes when no other bytes do. A message costs some hundred nanoseconds.
//
// An end does not move: in the input of a process, or in a message to one, it is an error:
// use mp.NewPipe. In a message to a goroutine it is the same end on both sides.
func NewPipe[T any]() (a, b *mp.Conn[T], err error) {
	there, back := newWay[T](), newWay[T]()
	return newConn(back, there), newConn(there, back), nil
}

// NewOneWayPipe is NewPipe with one end r that receives only and one end w that sends
// only. The wrong use of an end is an error at once.
func NewOneWayPipe[T any]() (r, w *mp.Conn[T], err error) {
	only := newWay[T]()
	return newConn(only, nil), newConn(nil, only), nil
}

// end is one end of a pipe.
type end[T any] struct{ in, out *way[T] } // nil: it does not receive, or send

// newConn makes a handle of an end, which is closed when the handle is garbage.
func newConn[T any](in, out *way[T]) *mp.Conn[T] {
	e := &end[T]{in, out}
	c := mp.CarryConn(key.Key{}, e)
	runtime.AddCleanup(c, func(e *end[T]) { e.close(outside) }, e)
	return c
}

// message is one that was sent.
type message[T any] struct {
	kind  pipe.Kind
	value T
	bytes []byte
}

// pipeError is an error of an end, with a text of its own.
type pipeError struct {
	text string
	kind error
}

func (e *pipeError) Error() string { return "mp: " + e.text }
func (e *pipeError) Unwrap() error { return e.kind }

var (
	errEndClosed error = &pipeError{"this end of the pipe is closed", mp.ErrClosed}
	errTooLong   error = &pipeError{"the next message is longer than that", mp.ErrFull}
)

// Send sends a value.
func (e *end[T]) Send(ctx context.Context, v T) error {
	if e.out == nil {
		return pipe.ErrReadOnly
	}
	return e.out.send(ctx, message[T]{kind: pipe.Value, value: v})
}

// SendBytes sends a copy of p.
func (e *end[T]) SendBytes(ctx context.Context, p []byte) error {
	if e.out == nil {
		return pipe.ErrReadOnly
	}
	return e.out.send(ctx, message[T]{kind: pipe.Bytes, bytes: append([]byte{}, p...)})
}

// Recv takes the next message, a value.
func (e *end[T]) Recv(ctx context.Context) (T, error) {
	m, err := e.receive(ctx, pipe.Value, -1)
	return m.value, err
}

// RecvBytes takes the next message, bytes, as many as the limit at most.
func (e *end[T]) RecvBytes(ctx context.Context, limit int) ([]byte, error) {
	m, err := e.receive(ctx, pipe.Bytes, limit)
	return m.bytes, err
}

func (e *end[T]) receive(ctx context.Context, want pipe.Kind, limit int) (message[T], error) {
	if e.in == nil {
		return message[T]{}, pipe.ErrWriteOnly
	}
	return e.in.receive(ctx, request{want, limit})
}

// Poll waits until there is something to receive.
func (e *end[T]) Poll(ctx context.Context) error {
	if e.in == nil {
		return pipe.ErrWriteOnly
	}
	return e.in.poll(ctx)
}

// Ready says whether a receive would find something, an error included.
func (e *end[T]) Ready() bool { return e.in == nil || e.in.isReady() }

// Watch calls notify, which does not block, when Ready may have turned true, until stop is
// called.
func (e *end[T]) Watch(notify func()) (stop func()) {
	if e.in == nil {
		notify()
		return func() {}
	}
	return e.in.watch(notify)
}

// Close closes the end.
func (e *end[T]) Close() error {
	e.close(everybody)
	return nil
}

func (e *end[T]) close(wakes whom) {
	if e.in != nil {
		e.in.noReceiver(wakes)
	}
	if e.out != nil {
		e.out.noSender(wakes)
	}
}

// whom is which of those who wait are woken, given since when they wait: everybody, or those
// outside of testing/synctest bubbles. The collector's goroutine, which is outside, must not
// touch the channels of a bubble. Who waits there for an end that is garbage is reported by
// synctest as blocked.
type whom func(since time.Time) bool

func everybody(time.Time) bool { return true }
