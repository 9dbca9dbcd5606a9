package mp

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/proc/host"
)

// smallInput is the size up to which the input of a single task is encoded when it
// is submitted: its errors come at once, and it may be changed at once.
const smallInput = 32 << 10

// decodeOutputs reads the outputs of an outcome into out, which has o.Count
// elements. A large output shares the memory of the payload, if that is nobody else's.
// Descriptors that came with it and are not of the output are closed.
func (f *Func[In, Out]) decodeOutputs(o *pool.Outcome, out []Out) error {
	switch c := o.Value.(type) {
	case *directCall[In, Out]:
		out[0] = c.out
		return nil
	case *directSpan[In, Out]:
		copy(out, c.out[o.First-c.first:][:o.Count])
		return nil
	}
	files, _ := o.Attached.(host.Attached)
	if files != nil {
		return f.decodeAttached(o, files, out)
	}
	if f.size > 0 {
		return f.out.Memory(o.Payload, out)
	}
	r := codec.NewReader(o.Payload)
	r.Alias = o.Owned
	if err := f.out.DecodeInto(r, out); err != nil {
		return err
	}
	return r.Done()
}

// decodeAttached is decodeOutputs for an output with descriptors, of which there is one.
func (f *Func[In, Out]) decodeAttached(o *pool.Outcome, files host.Attached, out []Out) error {
	if len(out) != 1 {
		files.Drop()
		return errors.New("mp: malformed message: descriptors with several outputs")
	}
	payload := o.Payload
	if !o.Owned {
		payload = bytes.Clone(payload)
	}
	return f.decode(payload, files, &out[0])
}

// check says why a function cannot be called by a pool at all.
func (f *Func[In, Out]) check(p *Pool) error {
	if f == nil {
		return errNilFunc
	}
	return p.transport.refuses(f)
}

// pool is what the scheduler has to know of the options; nil: nothing.
func (o *taskOptions) pool(ctx context.Context) *pool.Options {
	deadline, bounded := ctx.Deadline()
	plain := o.timeout == 0 && o.priority == 0 && o.chunk == 0 && o.retries == 0 && !o.failFast
	if plain && !bounded {
		return nil
	}
	p := &pool.Options{
		Timeout: o.timeout, Deadline: deadline, Priority: o.priority, Chunk: o.chunk,
		Retries: o.retries, FailFast: o.failFast,
	}
	if o.retries > 0 {
		p.Backoff = o.backoff.pool()
	}
	return p
}

// overdue says whether the deadline of a call's ctx has passed. A task that looks at its
// ctx fails at that very moment, but that the time of the call is over is no news of
// the task.
func overdue(j *pool.Job) bool {
	return j.Options != nil && !j.Deadline.IsZero() && !time.Now().Before(j.Deadline)
}

// taskError is an outcome's error as the caller gets it: about the task, unless it
// is about the pool.
func taskError(name string, o *pool.Outcome, err error) *TaskError {
	return &TaskError{Func: name, Index: o.First, Attempts: o.Attempts, PID: o.PID, Err: err}
}

// submit submits a job whose caller does not wait for it, and has ctx cancel it.
func (p *Pool) submit(ctx context.Context, j *pool.Job, wd *watched) {
	p.watches.add(ctx, p.s, wd, j)
	if err := p.s.Submit(ctx, j); err != nil {
		j.Client.Finished(err)
	} else if err := ctx.Err(); err != nil {
		p.s.Cancel(j, err) // the watch may have looked before there was a job
	}
}

// abandon cancels a job for its caller, who gets the memory of the inputs back: it
// waits, for some 20 ms at most, until none of it is being sent.
func (p *Pool) abandon(j *pool.Job, cause error) {
	p.s.Cancel(j, cause)
	if released := p.s.EncodingDone(j); released != nil {
		<-released
	}
}

// options are what the scheduler has to know of a call; nil: nothing.
func (p *Pool) options(ctx context.Context, o *taskOptions) (*pool.Options, error) {
	to := o.pool(ctx)
	if p.propagate == nil {
		return to, nil
	}
	m, err := propagated(ctx, "PoolConfig", p.propagate)
	if m != nil {
		if to == nil {
			to = new(pool.Options)
		}
		to.Propagated = m
	}
	return to, err
}
