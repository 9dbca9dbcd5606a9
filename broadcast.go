package mp

import (
	"context"
	"errors"
	"slices"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// Broadcast calls f with in once in each worker and returns the outputs by worker number, the one that
// CurrentTask and Stats report. Use it to have all workers reload something, or report what they hold. A worker
// runs the call before anything else, as soon as it is idle; a worker that is starting runs it when it is ready.
// If all workers have ended after IdleTimeout, there are no calls.
//
// If f fails in a worker, or a worker ends before it runs f, that worker has no output. The error is then a
// *MapError: the Index of each TaskError is the worker's number. When ctx ends, Broadcast returns the outputs so
// far with ctx's error, and cancels the remaining calls. Other errors are those of Apply. An input that can be
// in one process only, such as a pipe's end, is an error.
//
// In a task of the same pool of goroutines, the waiting worker calls f too.
func Broadcast[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in In) (map[int]Out, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	calls, err := broadcast(ctx, p, f, in)
	if err != nil {
		return nil, err
	}
	out, failed := make(map[int]Out, len(calls)), &MapError{Total: len(calls)}
	for _, n := range sortedKeys(calls) {
		a := calls[n]
		if err := await(ctx, p.s, &a.job, a.result.Done()); err != nil {
			return abandonAll(p, calls, err), err
		}
		var te *TaskError
		switch err := a.result.Err(); {
		case err == nil:
			out[n] = a.result.value
		case errors.As(err, &te):
			te.Index = n
			failed.Errs = append(failed.Errs, te)
		default:
			return abandonAll(p, calls, err), err // the pool's, or ctx's
		}
	}
	if len(failed.Errs) > 0 {
		return out, failed
	}
	return out, nil
}

// abandonAll cancels the calls that are not done, and returns the outputs of the others.
func abandonAll[In, Out any](p *Pool, calls map[int]*applied[In, Out], cause error) map[int]Out {
	out := make(map[int]Out)
	for n, a := range calls {
		p.abandon(&a.job, cause)
		if a.result.Ready() && a.result.Err() == nil {
			out[n] = a.result.value
		}
	}
	return out
}

// broadcast submits a call for each worker.
func broadcast[In, Out any](ctx context.Context, p *Pool, f *Func[In, Out], in In) (map[int]*applied[In, Out], error) {
	if err := p.refusal(); err != nil {
		return nil, err
	}
	calls := map[int]*applied[In, Out]{}
	jobs := map[int]*pool.Job{}
	for {
		missing, err := p.s.SubmitEach(jobs)
		if err != nil {
			return nil, err
		}
		if len(missing) == 0 {
			break
		}
		for _, n := range missing {
			a, err := newApplied(ctx, p, f, in, nil)
			if err == nil && a.leaves {
				a.letGo()
				err = errors.New("mp: Broadcast: the input holds something that belongs to one process, such as a pipe's end, and would go to every worker")
			}
			if err != nil {
				return nil, err
			}
			calls[n], jobs[n] = a, &a.job
		}
	}
	for n, a := range calls {
		if !p.s.Taken(&a.job) { // that worker has gone meanwhile
			delete(calls, n)
		}
	}
	return calls, nil
}

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
