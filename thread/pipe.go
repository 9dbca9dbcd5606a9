package thread

import (
	"runtime"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewPipe makes a pipe between goroutines of this process, as multiprocessing.dummy.Pipe. Both ends send and
// receive. It does not wait, costs some hundred nanoseconds and no descriptor, and needs no mp.Main. The error
// is always nil.
//
// Values are not copied: a pointer that is sent is the same pointer on the other side. Bytes are copied once, so
// the caller may reuse a slice that it gave to SendBytes. Send and SendBytes wait while 1,024 messages, or 1 MiB
// of bytes, are sent and not yet received. A larger message of bytes waits until no other bytes are under way. A
// message costs some hundred nanoseconds.
//
// An end does not move: in a message to a goroutine it is the same end on both sides. A process cannot receive
// it, neither in an input nor in a message: use mp.NewPipe.
func NewPipe[T any]() (a, b *mp.Conn[T], err error) {
	ea, eb := inproc.NewPipe[T]()
	return newConn(ea), newConn(eb), nil
}

// NewOneWayPipe is NewPipe with one end r that only receives and one end w that only sends. Using an end the
// wrong way is an error at once.
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
