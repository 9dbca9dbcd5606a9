package mp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/task"
)

// Map calls f with each input and returns the outputs in the order of the inputs, as multiprocessing.Pool.map.
// It waits for all tasks, even after a failure; with FailFast it does not. The pool hands several tasks at a
// time to a worker, as many as fit into a millisecond or two. It takes tasks back that would wait behind a slow
// one.
//
// If tasks fail, the error is a *MapError, and their outputs are zero. Any other error is about the call, and
// there are no outputs: ctx's, ErrClosed, ErrTerminated, ErrBroken, ErrNotRegistered, or that of a type that
// cannot travel.
func Map[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in []In, opts ...TaskOption) ([]Out, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m, err := newMapped(ctx, p, f, in, opts)
	if err != nil {
		return nil, err
	}
	m.changed = make(chan struct{}, 1)
	if err := p.s.SubmitNow(&m.job); err != nil {
		return nil, err
	}
	returned := false
	defer func() {
		if !returned { // Progress panicked
			p.abandon(&m.job, ErrCancelled)
		}
	}()
	waiting := p.s.AddWaiter(ctx, &m.job)
	defer waiting.Remove()
	for {
		select {
		case <-m.result.Done():
			m.tell()
			returned = true
			return m.result.value, m.result.err
		case <-ctx.Done():
			returned = true
			p.abandon(&m.job, ctx.Err())
			return nil, ctx.Err()
		case <-m.changed:
			m.tell()
		}
	}
}

// MapAsync is Map as a Result. It returns at once; with PoolConfig.MaxQueued it waits for room. When ctx ends,
// its tasks are cancelled. The inputs must not be changed before the outcome is there.
func MapAsync[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in []In, opts ...TaskOption) *Result[[]Out] {
	if err := ctx.Err(); err != nil {
		return failedResult[[]Out](p, err)
	}
	m, err := newMapped(ctx, p, f, in, opts)
	if err != nil {
		return failedResult[[]Out](p, err)
	}
	m.result.job = &m.job
	m.async = p.s
	m.pool = p
	p.submit(ctx, &m.job, &m.watched)
	return &m.result
}

// mapped is a call with a list of tasks.
type mapped[In, Out any] struct {
	job      pool.Job
	f        *Func[In, Out]
	in       []In
	result   Result[[]Out]
	copies   *copying        // of a pool of goroutines: see directCalls
	values   context.Context // for tasks on goroutines; nil: none
	pool     *Pool           // whose watch is over ctx; nil: none is
	watched  watched
	progress func(done, total int)
	changed  chan struct{}   // for Map: tasks have ended
	async    *pool.Scheduler // for MapAsync: runs progress
	telling  atomic.Bool     // and is about to
	out      []Out

	mu   sync.Mutex
	done int
	told int
	errs []*TaskError
}

func newMapped[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in []In, opts []TaskOption) (*mapped[In, Out], error) {
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
	m := &mapped[In, Out]{f: f, in: in, progress: o.progress, out: make([]Out, len(in))}
	m.result.s = p.s
	m.job.Func, m.job.Client, m.job.Items = f.name, m, len(in)
	if m.job.Options, err = p.options(ctx, &o); err != nil {
		return nil, err
	}
	m.job.NoWait = o.noWait
	return m, p.transport.prepare(ctx, m, o.retries > 0)
}

// byBytes implements call.
func (m *mapped[In, Out]) byBytes() error {
	m.job.RunsUserCode, m.job.Moves = m.f.apart, m.f.moves
	return nil
}

// byValue implements call.
func (m *mapped[In, Out]) byValue(values context.Context, copies *copying, _ bool) {
	m.values, m.copies = values, copies
}

// Encode implements pool.Tasks.
func (m *mapped[In, Out]) Encode(b *codec.Buffer, first, n int) (*codec.Buffer, error) {
	return b, m.f.encodeInputs(b, m.in[first:first+n])
}

// Values implements pool.Tasks.
func (m *mapped[In, Out]) Values() context.Context { return m.values }

// Calls implements pool.Tasks.
func (m *mapped[In, Out]) Calls(first, n int) (task.Calls, error) {
	return directCalls(m.copies, m.f, first, m.in[first:first+n]), nil
}

// OutputSize implements pool.Tasks.
func (m *mapped[In, Out]) OutputSize() int { return m.f.size }

// Deliver implements pool.Client: it keeps the outcome of some tasks.
func (m *mapped[In, Out]) Deliver(o *pool.Outcome) {
	err := o.Err
	if err == nil {
		err = m.f.decodeOutputs(o, m.out[o.First:o.First+o.Count])
	}
	if err == nil && m.progress == nil {
		return
	}
	m.mu.Lock()
	m.done += o.Count
	if err != nil {
		clear(m.out[o.First : o.First+o.Count])
		for i := range o.Count { // more than one only of those that were not begun
			e := taskError(m.f.name, o, err)
			e.Index += i
			m.errs = append(m.errs, e)
		}
	}
	m.mu.Unlock()
	if m.progress == nil {
		return
	}
	if m.async != nil {
		if m.telling.CompareAndSwap(false, true) {
			m.async.Callback(m.tell)
		}
		return
	}
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// tell calls Progress if there is something new.
func (m *mapped[In, Out]) tell() {
	if m.progress == nil {
		return
	}
	m.telling.Store(false) // what ends from now on is told anew
	m.mu.Lock()
	done, news := m.done, m.done > m.told
	m.told = max(m.told, done)
	m.mu.Unlock()
	if news {
		m.progress(done, m.job.Items)
	}
}

// Finished implements pool.Client.
func (m *mapped[In, Out]) Finished(cause error) {
	if m.pool != nil {
		m.pool.watches.remove(&m.watched)
		m.pool = nil // the Result may be kept for long
	}
	m.mu.Lock()
	errs := m.errs
	m.mu.Unlock()
	if cause != nil && !(m.job.FailFast && len(errs) > 0 && errors.Is(cause, ErrCancelled)) {
		m.result.complete(nil, cause)
		return
	}
	if len(errs) == 0 {
		m.result.complete(m.out, nil)
		return
	}
	if overdue(&m.job) {
		m.result.complete(nil, context.DeadlineExceeded)
		return
	}
	slices.SortFunc(errs, func(a, b *TaskError) int { return a.Index - b.Index })
	m.result.complete(m.out, &MapError{Errs: errs, Total: m.job.Items})
}
