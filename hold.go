package mp

import (
	"reflect"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// Hold is the proof that you own a lock or a permit. Release gives it back; copies of
// a Hold are the same one. It belongs to its process, and cannot be put into an input,
// an output or a message. The zero Hold holds nothing: its Release is ErrNotOwner.
//
// Its methods are safe for concurrent use, and any goroutine may call them: as in Python, a lock is not bound
// to a goroutine. Dropping a Hold without Release keeps the lock or permit held until the process ends.
type Hold struct {
	of        holder
	token     uint64
	abandoned bool
}

// holder is a lock or semaphore that can be held.
type holder interface {
	release(token uint64) error
}

func init() {
	codec.Refuse(reflect.TypeFor[Hold](), "a Hold belongs to the process that acquired: send the lock, and acquire it in the other process")
}

// Release gives the lock or permit back. It does not wait. It costs some 30 nanoseconds, and a system call when
// a process waits for it.
//
// The error is ErrNotOwner when this Hold or a copy was released before; then nothing happens (Python:
// ValueError for a Lock, AssertionError for an RLock). When two goroutines release it at once, exactly one
// gets no error. ErrFull is for bounded semaphores: see NewBoundedSemaphore.
func (h Hold) Release() error {
	if h.of == nil {
		return ErrNotOwner
	}
	return h.of.release(h.token)
}

// Abandoned reports that the last owner of the lock died holding it, so that what the lock guards may be
// half written. Only the first Hold after that reports it. Permits of a semaphore are never abandoned:
// those of a dead process are available again.
func (h Hold) Abandoned() bool { return h.abandoned }

// Token is a number that grows with every acquisition of the lock or semaphore, across all processes: a
// fencing token. A resource that the lock guards can remember the highest token it has seen, and refuse the
// writes of an owner that was thought dead. The zero Hold has 0.
func (h Hold) Token() uint64 { return h.token }
