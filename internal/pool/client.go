package pool

import (
	"context"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/task"
)

// Client is the call that a job belongs to.
type Client interface {
	Tasks
	// Deliver takes the outcome of each task, exactly once for each, unless the job
	// is cancelled before. It is called without a lock, from several goroutines
	// at once, each with different tasks, and must not wait for the pool's end. The
	// Outcome is valid only during the call.
	Deliver(o *Outcome)
	// Finished is called once, after the last Deliver has returned: with nil
	// when every task has its outcome, with the cause when the job was cancelled.
	Finished(cause error)
}

// Tasks are the tasks of a call as transports take them: encoded, for workers that are reached by bytes,
// or as calls that are ready to be made, for goroutines. A pool uses one of the two, the scheduler neither.
type Tasks interface {
	// Encode returns n inputs from first on, in the form that the worker reads: in the empty buffer b,
	// or in another one. An error says that one of the inputs cannot travel. Attachments that
	// move are taken out of the buffer, or settled, before it is encoded again; others may be left in it.
	Encode(b *codec.Buffer, first, n int) (*codec.Buffer, error)
	// OutputSize is the size in bytes of an output that travels as memory; 0: none does.
	OutputSize() int
	// Calls returns n calls from task first on, with their inputs: nothing of the job is read
	// afterwards. They are the Value of their Results. An error says that there are none, and why.
	Calls(first, n int) (task.Calls, error)
	// Values are those of the caller's ctx, for the ctxs of the calls: see task.ValuesOf.
	Values() context.Context
}
