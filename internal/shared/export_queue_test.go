package shared

import (
	"os"

	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Counts is how many items were put and got.
func (q *Queue) Counts() (puts, gets uint64) {
	return q.puts.Load() &^ closedBit, q.gets.Load() &^ droppedBit
}

// Memory is how many bytes of memory the queue takes.
func (q *Queue) Memory() (int64, error) { return q.object.Memory() }

// Object is the queue's memory.
func (q *Queue) Object() *waitq.Object { return q.object }

// Sockets are those for descriptors.
func (q *Queue) Sockets() [2]*os.File {
	return [2]*os.File{q.sockets.pair[0].Load(), q.sockets.pair[1].Load()}
}

// What TryPut and TryGet say of a process that does not go on.
var (
	ErrBusyFull  = errBusyFull
	ErrBusyEmpty = errBusyEmpty
)

// The ring, and where it begins and the spill.
const (
	RingSize = ringSize
	RingAt   = waitq.PayloadAt
	SpillAt  = overflowAt
)

// InRing is how many bytes of the ring are taken, for the producers.
func (q *Queue) InRing() uint64 {
	return word(q.tail[q.puts.Load()&^closedBit&1*16:]) - q.freed.Load()
}
