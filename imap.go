package mp

import (
	"context"
	"iter"
	"log/slog"
	"time"
)

// Imap calls f with each input and yields the outputs in the order of the inputs, as
// multiprocessing.Pool.imap, but lazily on both sides: it takes inputs as the loop takes outputs, at most
// Window ahead. The input iterator runs on another goroutine.
//
// A task's error is yielded in its place as a *TaskError, and the loop goes on. With FailFast the loop ends
// after the first error; tasks before it in order that had not ended by then are cancelled and not yielded. An error
// about the call (ctx's, ErrClosed, ErrTerminated, ...) is yielded last. Leaving the loop early cancels the
// rest without waiting. A panic of the input iterator continues in the loop. Each range over the result is a
// new call.
func Imap[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in iter.Seq[In], opts ...TaskOption) iter.Seq2[Out, error] {
	return pairs(ctx, p, f, in, func() order[In, Out] { return new(inputOrder[In, Out]) }, opts)
}

// ImapUnordered is Imap that yields outputs as tasks end, as
// multiprocessing.Pool.imap_unordered.
func ImapUnordered[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in iter.Seq[In], opts ...TaskOption) iter.Seq2[Out, error] {
	return pairs(ctx, p, f, in, func() order[In, Out] { return new(endOrder[In, Out]) }, opts)
}

func pairs[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in iter.Seq[In], by func() order[In, Out], opts []TaskOption) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		s, err := newStream(ctx, p, f, in, by(), false, opts)
		if err == nil {
			err = s.each(ctx, func(it *streamItem[In, Out]) bool {
				return yield(it.out[0], it.err)
			})
		}
		if err != nil && err != errFailedFast {
			var zero Out
			yield(zero, err)
		}
	}
}

// Outcome is how one task ended, with what it took.
type Outcome[In, Out any] struct {
	Index          int // of the input, from 0; -1: not about a task but about the call
	In             In
	Out            Out
	Err            error // a *TaskError, or about the call
	Attempts       int
	PID            int           // of the worker of the last attempt
	Node           string        // the machine of that worker; "": this one
	ID             uint64        // of the task, as in PoolEvent; no other task of this process has it. 0: not about a task
	Pool           string        // the pool's name
	Wall           time.Duration // of the last attempt, in the worker
	CPU            time.Duration // that the worker used meanwhile; not known on goroutines
	MaxMemory      int64         // bytes of anonymous memory that the worker held at its end
	Stdout, Stderr []byte        // with Capture
}

func (it *streamItem[In, Out]) outcome(p *Pool) Outcome[In, Out] {
	m := &it.measure
	return Outcome[In, Out]{
		ID: it.id, Pool: p.name,
		Index: it.index, In: it.in, Out: it.out[0], Err: it.err, Attempts: it.attempts, PID: it.pid,
		Wall: m.Wall, CPU: m.CPU, MaxMemory: m.MaxMemory, Stdout: m.Stdout, Stderr: m.Stderr,
	}
}

// Outcomes is ImapUnordered with all details of each task. When the call as a whole fails, every input that
// was taken and has not ended yields an Outcome with that error; if there is no such input, one Outcome with
// Index -1 has it.
func Outcomes[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in iter.Seq[In], opts ...TaskOption) iter.Seq[Outcome[In, Out]] {
	return func(yield func(Outcome[In, Out]) bool) {
		s, err := newStream(ctx, p, f, in, new(endOrder[In, Out]), true, opts)
		if err != nil {
			yield(Outcome[In, Out]{Index: -1, Pool: p.Name(), Err: err})
			return
		}
		err = s.each(ctx, func(it *streamItem[In, Out]) bool { return yield(it.outcome(p)) })
		if err == nil {
			return
		}
		told := false
		for _, it := range s.unfinished(err) {
			told = told || it.err == err
			if !yield(it.outcome(p)) {
				return
			}
		}
		if !told && err != errFailedFast {
			yield(Outcome[In, Out]{Index: -1, Pool: p.Name(), Err: err})
		}
	}
}

// LogValue implements slog.LogValuer: everything but the input, the output and what was captured.
func (o Outcome[In, Out]) LogValue() slog.Value {
	as := []slog.Attr{slog.String("pool", o.Pool), slog.Int("index", o.Index)}
	as = appendSet(as, slog.Uint64("id", o.ID), slog.Int("attempts", o.Attempts), slog.String("node", o.Node), slog.Int("pid", o.PID),
		slog.Duration("wall", o.Wall), slog.Duration("cpu", o.CPU), slog.Int64("maxMemory", o.MaxMemory))
	if o.Err != nil {
		as = append(as, slog.Any("err", o.Err))
	}
	return slog.GroupValue(as...)
}
