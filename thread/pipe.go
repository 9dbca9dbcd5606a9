package thread

import (
	"runtime"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
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
	ea, eb := inproc.NewPipe[T]()
	return newConn(ea), newConn(eb), nil
}

// NewOneWayPipe is NewPipe with one end r that receives only and one end w that sends
// only. The wrong use of an end is an error at once.
func NewOneWayPipe[T any]() (r, w *mp.Conn[T], err error) {
	er, ew := inproc.NewOneWayPipe[T]()
	return newConn(er), newConn(ew), nil
}

// newConn makes a handle of an end, which is closed when the handle is garbage.
func newConn[T any](e *inproc.End[T]) *mp.Conn[T] {
	c := mp.CarryConn[T](key.Key{}, e)
	runtime.AddCleanup(c, (*inproc.End[T]).Drop, e)
	return c
}
