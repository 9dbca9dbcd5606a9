package talk

import (
	"context"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Program is what this package knows of the program: its functions and errors.
// Parent and child are the same build, so both have the same one.
type Program interface {
	// Begin is called in a child before functions are called.
	Begin()
	// Leave is called in a child at its end, when no function runs any more. ctx ends when it should return.
	Leave(ctx context.Context)
	// Lookup finds a registered function.
	Lookup(name string) (Handler, error)
	// EncodeError and DecodeError carry an error to the other side. final says
	// that the error is not to be retried.
	EncodeError(b *codec.Buffer, err error) (final bool)
	DecodeError(r *codec.Reader) error
	// Panicked is the error of a call that panicked, Exited of one that called
	// runtime.Goexit, TooLarge of one whose encoded output is over the limit.
	Panicked(v any, stack string) error
	Exited() error
	TooLarge(size, limit int64) error
	// TimedOut is the error of a task that returned one when its time was over.
	TimedOut(after time.Duration) error
	// Died is the error of a task whose worker died.
	Died(pid int, e spawn.Exit) error
	// OutputLost is the error that says that n bytes of a stream, 1 or 2, were lost, OutputLate
	// that outcomes did not wait any longer for output.
	OutputLost(stream int, n int64, why error) error
	OutputLate(waited time.Duration) error
	// TaskKey is the key under which the ctx of a call has what Task makes: the
	// program's own description of the running task.
	TaskKey() any
	Task(fn string, index, attempt, worker int) any
	// Share is called for each child, before it is started.
	Share() (Sharer, error)
	// Join is called in a child before anything else of the program, with what its parent's
	// Sharer has said. The descriptor is its own from then on, or nil. ask sends a request to
	// the parent, and returns when it is on its way.
	Join(table *os.File, key uint64, ask func(proctable.Request))
}

// Sharer is how a child comes to share objects with other processes.
type Sharer interface {
	// Table is a descriptor that the child inherits; nil: processes share nothing here.
	Table() *os.File
	// Key is what the child is known by.
	Key() uint64
	// Request is a request that the child has sent, or passed on.
	Request(pid int, q proctable.Request)
	// MarkDead is called as soon as the child is known to be dead, and before
	// anybody is told so. It may have died before it did anything.
	MarkDead(pid int)
}

// Handler is a registered function as bytes see it.
type Handler interface {
	// Open decodes n inputs.
	Open(r *codec.Reader, n int) (Calls, error)
	// Copies says that the function gets copies of what Open decodes, so that
	// nothing of the message is referred to any more when all calls have returned.
	Copies() bool
}

// Calls are inputs that the function can be called with. They belong to one
// goroutine at a time.
type Calls interface {
	// Call runs the function on input i and keeps its output.
	Call(ctx context.Context, i int) error
	// Memory is the size in bytes of an output that travels as memory, or 0.
	Memory() int
	// PutMemory copies such an output to dst.
	PutMemory(dst []byte)
	// CallMemory is Call for a function with such an output, and copies it to dst.
	CallMemory(ctx context.Context, i int, dst []byte) error
	// Encode appends the output.
	Encode(b *codec.Buffer) error
}
