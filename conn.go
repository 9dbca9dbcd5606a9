package mp

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pipe"
)

// Conn is one end of a pipe, as multiprocessing.connection.Connection. It carries whole messages, values of type
// T and bytes, in the order in which they were sent. A small message costs some microseconds, a large one the
// time to copy it twice. Its methods are safe for concurrent use: messages are never mixed, and each is received
// once.
//
// An end belongs to one process. An end inside the input or output of a Func, or inside a message of another
// pipe or a queue, moves. The other process gets it, with everything that was sent to it and not yet received.
// All methods of this handle then return ErrClosed, and calls that wait return it too, having taken nothing. If
// the value is not sent, the handle stays as it was. So no forgotten copy keeps an end open: when the process
// that has it dies, the kernel tells the other end at once.
//
// An end that was moved through itself cannot be sent: the error is ErrClosed, and nothing has happened. An end
// that was moved through its own other end can never be received, so it is closed with it.
//
// A Conn that becomes garbage is closed. Where processes cannot share objects, NewPipe returns
// errors.ErrUnsupported; see the table in the README.
type Conn[T any] struct {
	_       [0]sync.Mutex // a Conn must not be copied
	carrier carrier.Conn[T]
}

// NewPipe makes a pipe of which both ends send and receive, as multiprocessing.Pipe. It does
// not block; a pipe costs two descriptors. The error is ErrNoMain, that of the system
// (EMFILE), or on systems without shared objects errors.ErrUnsupported.
func NewPipe[T any]() (a, b *Conn[T], err error) { return newPipe[T](false) }

// NewOneWayPipe is NewPipe with one end r that receives only and one end w that sends
// only, as multiprocessing.Pipe(duplex=False). The wrong use of an end is an error at once.
func NewOneWayPipe[T any]() (r, w *Conn[T], err error) { return newPipe[T](true) }

func newPipe[T any](oneWay bool) (a, b *Conn[T], err error) {
	if err := mayStart(); err != nil {
		return nil, nil, err
	}
	ea, eb, err := pipe.New(oneWay)
	if err != nil {
		return nil, nil, err
	}
	a, b = new(Conn[T]), new(Conn[T])
	a.hold(ea)
	b.hold(eb)
	return listed(a), listed(b), nil
}

// hold makes the handle one of this end, which is closed when the handle is garbage.
func (c *Conn[T]) hold(e carrier.ByteConn) {
	c.carrier = carrier.EncodeConn[T](e)
	runtime.AddCleanup(c, func(e carrier.ByteConn) { e.Close() }, e)
}

func (c *Conn[T]) made() bool { return c != nil && c.carrier != nil }

// ready says whether the handle has an end, and ctx has not ended.
func (c *Conn[T]) ready(ctx context.Context, method string) error {
	needCtx(ctx, method)
	if !c.made() {
		return carrier.ErrEndClosed
	}
	return ctx.Err()
}

// Send sends v. It returns when all of v is in the socket; the other end then receives it even if this process
// dies. It waits while the socket is full, which holds at least some hundred small messages or 200 KiB. If v
// cannot travel, the error names the path in v, and nothing is sent.
//
// If ctx ends first, Send returns ctx's error at once, and v will not be received: a part that was sent is taken
// back in the background. If the other end was closed or its process died, the error is both io.ErrClosedPipe
// and syscall.EPIPE. It is ErrClosed if this end was closed or moved. An end r of NewOneWayPipe cannot send.
// Python's send has no timeout, and mixes the messages of threads.
func (c *Conn[T]) Send(ctx context.Context, v T) error {
	if err := c.ready(ctx, "Conn.Send"); err != nil {
		return err
	}
	err := c.carrier.Send(ctx, v)
	runtime.KeepAlive(c)
	return err
}

// Recv waits for the next message and takes it. It returns io.EOF when the other end was closed or its process
// died, and every completely sent message has been received. Large strings and blocks of numbers in a T share
// the message's memory.
//
// If ctx ends first, Recv returns ctx's error and has taken nothing. If this process has no free descriptor
// (ulimit -n) for what comes with the message, the error is syscall.EMFILE, and the message stays. If the next
// message is bytes, that is an error, and they stay. The error is ErrClosed if this end was closed or moved. A
// message that is no T is taken, and an error. An end w of NewOneWayPipe cannot receive.
func (c *Conn[T]) Recv(ctx context.Context) (T, error) {
	if err := c.ready(ctx, "Conn.Recv"); err != nil {
		var none T
		return none, err
	}
	v, err := c.carrier.Recv(ctx)
	runtime.KeepAlive(c)
	return v, err
}

// Poll waits until there is something to receive: the beginning of a message, or the end of file. It checks once
// before it checks ctx, so with a ctx that has ended it is Python's poll(). It takes nothing: a second Poll
// returns the same.
//
// If nothing has come when ctx ends by its deadline, Poll returns false and nil, as Python's poll(timeout); when
// ctx was cancelled, false and its error. The error is ErrClosed if this end was closed or moved. A Recv in
// another goroutine may take what Poll has seen. A sender whose ctx ends may take back a message of which Poll
// has seen the beginning.
func (c *Conn[T]) Poll(ctx context.Context) (bool, error) {
	needCtx(ctx, "Conn.Poll")
	if !c.made() {
		return false, carrier.ErrEndClosed
	}
	err := c.carrier.Poll(ctx)
	runtime.KeepAlive(c)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, context.DeadlineExceeded):
		return false, nil
	}
	return false, err
}

// Close closes this end. The other end receives what was sent before, and then io.EOF; its sends fail. Calls
// that wait on this end return ErrClosed. Close does not wait for others. It returns nil even if this end was
// closed or moved before.
func (c *Conn[T]) Close() error {
	if !c.made() {
		return nil
	}
	err := c.carrier.Close()
	runtime.KeepAlive(c)
	return err
}

// Err is nil, or why this end cannot be used: ErrClosed when it was closed or moved. It does not wait.
func (c *Conn[T]) Err() error {
	if !c.made() {
		return carrier.ErrEndClosed
	}
	return c.carrier.Err()
}

// selectable: an end is ready when Recv would find something, an error included.
func (c *Conn[T]) selectable() source {
	if !c.made() {
		return source{}
	}
	return source{
		ready: func() bool {
			defer runtime.KeepAlive(c)
			return c.carrier.Ready()
		},
		watch: c.carrier.Watch,
	}
}

func (c *Conn[T]) moves() {}

func (c *Conn[T]) share(b *codec.Buffer) error {
	if !c.made() {
		return carrier.ErrEndClosed
	}
	err := c.carrier.Share(b)
	runtime.KeepAlive(c)
	return err
}

func (c *Conn[T]) adopt(k carrier.Kind, r *codec.Reader) error {
	e, err := carrier.Open[carrier.ByteConn](k, r)
	if err != nil {
		return err
	}
	c.hold(e)
	return nil
}

func (c *Conn[T]) list() { list(c) }

// SendBytes sends p as one message, which only RecvBytes and RecvBytesInto receive. An empty p is a message as
// well. It does not change p, which the caller may reuse when SendBytes has returned. It blocks and fails as
// Send does. Python's offset and size are p[offset:offset+size] here.
func (c *Conn[T]) SendBytes(ctx context.Context, p []byte) error {
	if err := c.ready(ctx, "Conn.SendBytes"); err != nil {
		return err
	}
	err := c.carrier.SendBytes(ctx, p)
	runtime.KeepAlive(c)
	return err
}

// RecvBytes waits for the next message, which must have been sent by SendBytes, and takes it.
// If it is longer than max bytes, which is known when its first bytes come, the error is
// ErrFull and the message stays (in Python the connection is lost); max 0 is no limit, as
// Python's None. Memory is taken as bytes come, at most twice as much. It blocks and fails as
// Recv does; a value that was sent by Send is an error, and stays.
func (c *Conn[T]) RecvBytes(ctx context.Context, max int) ([]byte, error) {
	if max < 0 {
		return nil, fmt.Errorf("mp: RecvBytes: max is negative: %d: use 0 for no limit", max)
	}
	if max == 0 {
		max = -1
	}
	return c.recvBytes(ctx, max)
}

// RecvBytesInto is RecvBytes into p, and returns the size of the message. If the message is larger than p, the
// error is ErrFull, nothing is written to p, and the message stays; Python's BufferTooShort has taken it.
func (c *Conn[T]) RecvBytesInto(ctx context.Context, p []byte) (int, error) {
	b, err := c.recvBytes(ctx, len(p))
	return copy(p, b), err
}

func (c *Conn[T]) recvBytes(ctx context.Context, limit int) ([]byte, error) {
	if err := c.ready(ctx, "Conn.RecvBytes"); err != nil {
		return nil, err
	}
	b, err := c.carrier.RecvBytes(ctx, limit)
	runtime.KeepAlive(c)
	return b, err
}
