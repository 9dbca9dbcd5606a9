package child

import (
	"context"
	"os"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proctable"
)

// Program is what a child knows of the program: its functions and errors. Parent and child are the
// same build, so the parent has the same ones: see host.Program.
type Program interface {
	// Begin is called before functions are called.
	Begin()
	// Leave is called at the end of this process, when no function runs any more. ctx ends when it should return.
	Leave(ctx context.Context)
	// Lookup finds a registered function.
	Lookup(name string) (Handler, error)
	// EncodeError appends an error for the parent. final says that it is not to be retried.
	EncodeError(b *codec.Buffer, err error) (final bool)
	// Panicked is the error of a call that panicked, Exited of one that called
	// runtime.Goexit, TooLarge of one whose encoded output is over the limit.
	Panicked(v any, stack string) error
	Exited() error
	TooLarge(size, limit int64) error
	// TaskKey is the key under which the ctx of a call has what Task makes: the
	// program's own description of the running task.
	TaskKey() any
	Task(fn string, index, attempt, worker int) any
	// Join is called in a child before anything else of the program, with what its parent's
	// Sharer has said. The descriptor is its own from then on, or nil. ask sends a request to
	// the parent, and returns when it is on its way.
	Join(table *os.File, key uint64, ask func(proctable.Request))
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
