package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// fetchAll gets all URLs and tells of each. The error says that nothing could be begun
// or that the work ended early.
func fetchAll(ctx context.Context, opts *options, in *input, r *report) (*report, error) {
	root, err := opts.openOut()
	if err != nil {
		return r, err
	}
	var s *store
	var n *names
	if root != nil {
		defer root.Close()
		s, n = &store{root: root}, newNames()
		s.sweep()
	}
	pool, err := thread.NewPool(mp.PoolConfig{Name: "fetch", Workers: opts.atOnce, Grace: grace})
	if err != nil {
		return r, err
	}
	g := newGetter(opts, s)
	defer g.client.CloseIdleConnections()
	r.begin(in.total())
	err = getAll(ctx, pool, g, in.all(n), r)
	r.end()
	if err != nil || ctx.Err() != nil {
		stop(pool)
		return r, err
	}
	return r, cmp.Or(pool.Shutdown(context.Background()), in.err)
}

// getAll runs the jobs on the pool. It ends at once with ctx; what is under way then has
// no line.
func getAll(ctx context.Context, pool *mp.Pool, g *getter, jobs func(yield func(*job) bool), r *report) error {
	call := mp.ImapUnordered[*job, *result]
	if g.opts.keep {
		call = mp.Imap[*job, *result]
	}
	get := thread.Func(func(ctx context.Context, j *job) (*result, error) {
		a, err := g.get(ctx, j)
		switch {
		case err != nil && j.final(err):
			return nil, mp.Permanent(&failure{j, err})
		case err != nil:
			return nil, &failure{j, err}
		}
		return &result{job: j, answer: a}, nil
	})
	// Chunk(1): a URL that takes long must not hold up another.
	for res, err := range call(ctx, pool, get, jobs, mp.Chunk(1), mp.Retries(g.opts.retries, g.opts.backoff)) {
		if ctx.Err() != nil {
			return nil // the failures from now on are the interrupt's
		}
		if err != nil {
			if res = resultOf(err); res == nil {
				return err
			}
		}
		if err := r.line(res); err != nil {
			return err
		}
	}
	return nil
}

// grace is what a goroutine has, when the program ends early, to remove the file that it is
// at. Its request ends at once.
const grace = 5 * time.Second

// stop ends the goroutines before their work is done.
func stop(pool *mp.Pool) {
	soon, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	pool.Shutdown(soon) // what matters is why it is stopped
}

// result is what is told of a URL.
type result struct {
	job    *job
	answer answer
	err    error // nil: there is an answer
	tries  int
}

// failure is the error of an attempt, with what it was about.
type failure struct {
	job *job
	err error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// resultOf is the result of a task that failed; nil: the error is about the call.
func resultOf(err error) *result {
	var task *mp.TaskError
	var f *failure
	if !errors.As(err, &task) || !errors.As(err, &f) {
		return nil
	}
	res := &result{job: f.job, err: f.err, tries: task.Attempts}
	res.answer.Took = time.Since(f.job.began)
	var status *statusError
	if errors.As(err, &status) {
		res.answer, res.err = status.answer, nil
	}
	return res
}
