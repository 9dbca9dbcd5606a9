package inproc

import (
	"context"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// End is one end of a pipe.
type End[T any] struct{ in, out *direction[T] } // nil: it does not receive, or send

// NewPipe makes a pipe of which both ends send and receive.
func NewPipe[T any]() (a, b *End[T]) {
	there, back := newDirection[T](), newDirection[T]()
	return &End[T]{back, there}, &End[T]{there, back}
}

// NewOneWayPipe makes a pipe with one end r that receives only and one end w that sends only.
func NewOneWayPipe[T any]() (r, w *End[T]) {
	only := newDirection[T]()
	return &End[T]{only, nil}, &End[T]{nil, only}
}

// message is a message that was sent.
type message[T any] struct {
	bytes bool // it is the bytes, not the value
	value T
	data  []byte
}

// errEndClosed: no end of this package has moved.
var errEndClosed = carrier.NewError("this end of the pipe is closed", carrier.ErrClosed)

// Send sends a value.
func (e *End[T]) Send(ctx context.Context, v T) error {
	if e.out == nil {
		return carrier.ErrReceivesOnly
	}
	return e.out.send(ctx, message[T]{value: v})
}

// SendBytes sends a copy of p.
func (e *End[T]) SendBytes(ctx context.Context, p []byte) error {
	if e.out == nil {
		return carrier.ErrReceivesOnly
	}
	return e.out.send(ctx, message[T]{bytes: true, data: append([]byte{}, p...)})
}

// Recv takes the next message, which must be a value.
func (e *End[T]) Recv(ctx context.Context) (T, error) {
	m, err := e.receive(ctx, request{limit: -1})
	return m.value, err
}

// RecvBytes takes the next message, which must be bytes, and no more than the limit.
func (e *End[T]) RecvBytes(ctx context.Context, limit int) ([]byte, error) {
	m, err := e.receive(ctx, request{bytes: true, limit: limit})
	return m.data, err
}

func (e *End[T]) receive(ctx context.Context, q request) (message[T], error) {
	if e.in == nil {
		return message[T]{}, carrier.ErrSendsOnly
	}
	return e.in.receive(ctx, q)
}

// Poll waits until there is something to receive.
func (e *End[T]) Poll(ctx context.Context) error {
	if e.in == nil {
		return carrier.ErrSendsOnly
	}
	return e.in.poll(ctx)
}

// Ready reports whether a receive would not wait: there is a message, or an error.
func (e *End[T]) Ready() bool { return e.in == nil || e.in.isReady() }

// Watch calls notify whenever Ready may have become true, until stop is called. notify must not
// block.
func (e *End[T]) Watch(notify func()) (stop func()) {
	if e.in == nil {
		notify()
		return func() {}
	}
	return e.in.watch(notify)
}

// Close closes the end.
func (e *End[T]) Close() error {
	e.close(allWaiters)
	return nil
}

// Err implements carrier.Object.
func (e *End[T]) Err() error {
	if e.in != nil && e.in.isReceiveClosed() || e.out != nil && e.out.isSendClosed() {
		return errEndClosed
	}
	return nil
}

// Drop closes an end that is garbage. The goroutine of the garbage collector calls it, which is
// outside all bubbles of testing/synctest.
func (e *End[T]) Drop() { e.close(outsideBubbles) }

func (e *End[T]) close(which wakeups) {
	if e.in != nil {
		e.in.closeReceive(which)
	}
	if e.out != nil {
		e.out.closeSend(which)
	}
}
