package mp

import (
	"reflect"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// Hold is the proof that you own a lock or a permit. Release gives it back; copies of
// a Hold are the same one. It belongs to its process, and cannot be put into an input,
// an output or a message. The zero Hold is none: its Release is ErrNotOwner.
//
// Its methods may be called by any number of goroutines, and by others than the one that
// acquired: as in Python, a lock is not bound to a goroutine. It costs nothing to drop a Hold,
// but what it holds stays held until its process ends.
type Hold struct {
	of        holder
	token     uint64
	abandoned bool
}

// holder is what is held.
type holder interface {
	release(token uint64) error
}

func init() {
	codec.Refuse(reflect.TypeFor[Hold](), "a Hold belongs to the process that acquired: send the lock, and acquire it in the other process")
}

// Release gives back what is held. It does not wait, and costs some 30 nanoseconds, or a
// system call when a process waits for it.
//
// The error is ErrNotOwner when it was released already, by whichever copy: then nothing
// happens (Python: ValueError for a Lock, AssertionError for an RLock). When two goroutines
// release it at once, exactly one has no error. ErrFull is for a BoundedSemaphore alone:
// see there.
func (h Hold) Release() error {
	if h.of == nil {
		return ErrNotOwner
	}
	return h.of.release(h.token)
}

// Abandoned says that the last owner of the lock died holding it, by a signal or by its
// end: what the lock guards may be half written. It is said once, to the first who has the lock
// after that. Permits of a semaphore are never abandoned: those of a dead process are simply
// back.
func (h Hold) Abandoned() bool { return h.abandoned }

// Token is a number that grows with every acquisition of the lock or semaphore, in all
// processes together: a fencing token. What the lock guards can remember the highest one
// seen, and refuse the writes of an owner that was thought to be dead. 0 is the zero Hold's.
func (h Hold) Token() uint64 { return h.token }
