package mp

import (
	"context"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

// Apply calls f with in in a worker and waits for its output, as
// multiprocessing.Pool.apply. A call costs some 3 microseconds beyond f when it follows
// another one, and 30 to 100 when the worker has gone to sleep. When ctx ends it returns
// at once with ctx's error, and the task is cancelled.
//
// The error is a *TaskError when it is about the task or its input; else ctx's,
// ErrClosed, ErrTerminated, ErrBroken or ErrNotRegistered, or that of a type that
// can never travel.
func Apply[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in In, opts ...TaskOption) (Out, error) {
	var zero Out
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	a, err := newApplied(ctx, p, f, in, opts)
	if err != nil {
		return zero, err
	}
	if err := p.s.SubmitNow(&a.job); err != nil {
		a.letGo()
		return zero, err
	}
	if err := await(ctx, p.s, &a.job, a.result.Done()); err != nil && !a.result.Ready() {
		p.abandon(&a.job, err)
		return zero, err
	}
	return a.result.value, a.result.err
}

// ApplyAsync submits a task that calls f with in, and returns its Result at once, as
// multiprocessing.Pool.apply_async; with PoolConfig.MaxQueued it waits for room. When ctx ends, the task is
// cancelled. Errors are the Result's: see Apply. An input of more than 32 KiB must not be changed before the
// outcome is there.
func ApplyAsync[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in In, opts ...TaskOption) *Result[Out] {
	if err := ctx.Err(); err != nil {
		return failedResult[Out](p, err)
	}
	a, err := newApplied(ctx, p, f, in, opts)
	if err != nil {
		return failedResult[Out](p, err)
	}
	a.result.job = &a.job
	a.pool = p
	p.submit(ctx, &a.job, &a.watched)
	return &a.result
}

// applied is a call with one task, in one piece of memory: there may be hundreds of thousands.
type applied[In, Out any] struct {
	job     pool.Job
	direct  directCall[In, Out] // the Func, and the first attempt in a pool of goroutines
	begun   atomic.Bool         // it was
	leaves  bool                // it can be sent only once, as something leaves this process with it
	values  context.Context     // for the task on a goroutine; nil: none
	in      [1]In
	encoded atomic.Pointer[codec.Buffer] // of an input that is small enough to be encoded beforehand, or that has left
	pool    *Pool                        // whose watch is over ctx; nil: none is
	watched watched
	out     [1]Out
	err     error
	result  Result[Out]
}

func newApplied[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in In, opts []TaskOption) (*applied[In, Out], error) {
	if err := p.refusal(); err != nil {
		return nil, err
	}
	if err := f.check(p); err != nil {
		return nil, err
	}
	o, err := optionsOf(opts)
	if err != nil {
		return nil, err
	}
	a := new(applied[In, Out])
	a.direct.f = f
	a.in[0] = in
	if err := p.transport.prepare(ctx, a, o.retries > 0); err != nil {
		return nil, &TaskError{Func: f.name, Err: err}
	}
	a.result.s = p.s
	a.job.Func, a.job.Client, a.job.Items = f.name, a, 1
	if a.job.Options, err = p.options(ctx, &o); err != nil {
		a.letGo()
		return nil, err
	}
	a.job.NoWait = o.noWait
	return a, nil
}

// byValue implements call.
func (a *applied[In, Out]) byValue(values context.Context, copies *copying, retried bool) {
	a.direct.in, a.direct.copies, a.values = a.in[0], copies, values
	clear(a.in[:])
	if retried {
		a.direct.input.Store(inputKept)
	}
}

// byBytes implements call.
func (a *applied[In, Out]) byBytes() error {
	if err := a.encode(); err != nil {
		return err
	}
	a.job.RunsUserCode, a.job.Moves = a.direct.f.apart, a.leaves || a.direct.f.moves
	return nil
}

// encode encodes the input, so that its errors come at once and it may be changed
// at once. What is large is encoded again when it is sent; what travels as memory
// was copied already and cannot fail. What leaves this process does so now: its encoding
// is kept, and can be sent once.
func (a *applied[In, Out]) encode() error {
	if a.direct.f.flat {
		return nil
	}
	b := new(codec.Buffer)
	if err := a.direct.f.encodeInputs(b, a.in[:]); err != nil {
		return err
	}
	a.leaves = b.Moves()
	if b.Len() <= smallInput || a.leaves {
		a.encoded.Store(b)
	}
	if b.Len() <= smallInput && !a.leaves {
		clear(a.in[:])
	}
	return nil
}

// Encode implements pool.Tasks.
func (a *applied[In, Out]) Encode(b *codec.Buffer, _, _ int) (*codec.Buffer, error) {
	if e := a.encoded.Load(); e != nil && (!a.leaves || a.encoded.CompareAndSwap(e, nil)) {
		return e, nil
	}
	return b, a.direct.f.encodeInputs(b, a.in[:])
}

// Values implements pool.Tasks.
func (a *applied[In, Out]) Values() context.Context { return a.values }

// Calls implements pool.Tasks.
func (a *applied[In, Out]) Calls(_, _ int) (task.Calls, error) {
	if a.begun.CompareAndSwap(false, true) {
		return &a.direct, nil
	}
	return a.direct.again()
}

// letGo settles an input that was never sent.
func (a *applied[In, Out]) letGo() {
	if a.leaves {
		if e := a.encoded.Swap(nil); e != nil {
			e.Settle(false)
		}
	}
}

// OutputSize implements pool.Tasks.
func (a *applied[In, Out]) OutputSize() int { return a.direct.f.size }

// Deliver implements pool.Client.
func (a *applied[In, Out]) Deliver(o *pool.Outcome) {
	err := o.Err
	if err == nil {
		err = a.direct.f.decodeOutputs(o, a.out[:])
	}
	if err != nil {
		clear(a.out[:])
		a.err = taskError(a.direct.f.name, o, err)
	}
}

// Finished implements pool.Client.
func (a *applied[In, Out]) Finished(cause error) {
	if a.pool != nil {
		a.pool.watches.remove(&a.watched)
		a.pool = nil // the Result may be kept for long
	}
	a.letGo()
	switch {
	case a.err != nil && overdue(&a.job):
		a.result.complete(a.out[0], context.DeadlineExceeded)
	case a.err != nil:
		a.result.complete(a.out[0], a.err)
	case cause != nil:
		var zero Out
		a.result.complete(zero, cause)
	default:
		a.result.complete(a.out[0], nil)
	}
}
