package mp

import (
	"context"
	"errors"
	"slices"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// Broadcast calls f with in once in each worker and returns the outputs by the workers' numbers, as
// CurrentTask and Stats tell them: to have all reload something, or tell what they hold. Workers get to
// it before anything else when they have done what they run; those that are being started when they are ready.
// A pool whose workers have all gone after IdleTimeout has none.
//
// Where f fails, or a worker ends before it has come to it, there is no output, and the error is a
// *MapError: the Index of its TaskErrors is the worker's number. When ctx ends the outputs that there
// are come with ctx's error, and the calls that are not done are cancelled. Other errors are those of Apply. An input that
// can be in one process only, such as a pipe's end, is an error.
//
// In a task of the same pool of goroutines the worker that waits calls f too.
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
