package mp

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// Result is the handle of what was submitted and may not be done, as Python's
// AsyncResult and Future. Its methods may be called by any number of goroutines.
type Result[T any] struct {
	s   *pool.Scheduler // runs callbacks; nil: they run on goroutines of their own
	job *pool.Job       // what Cancel cancels; nil: nothing

	mu        sync.Mutex
	ready     bool
	done      chan struct{}
	value     T
	err       error
	callbacks []func(T, error)
}

// failedResult is the Result of what was not submitted.
func failedResult[T any](p *Pool, err error) *Result[T] {
	r := &Result[T]{ready: true, err: err}
	if p != nil {
		r.s = p.s
	}
	return r
}

// complete sets the outcome, once.
func (r *Result[T]) complete(v T, err error) {
	r.mu.Lock()
	if r.ready {
		r.mu.Unlock()
		return
	}
	r.ready, r.value, r.err = true, v, err
	callbacks := r.callbacks
	r.callbacks = nil
	for _, f := range callbacks {
		r.call(f) // queued before anybody who waits can see that it is done
	}
	if r.done != nil {
		close(r.done)
	}
	r.mu.Unlock()
}

// call queues a callback.
func (r *Result[T]) call(f func(T, error)) {
	v, err := r.value, r.err
	if r.s == nil {
		go f(v, err)
		return
	}
	r.s.Callback(func() { f(v, err) })
}

// Get waits for the outcome. The error is the outcome's, see Apply and Map, or
// ctx's; the task goes on then.
func (r *Result[T]) Get(ctx context.Context) (T, error) {
	if err := ctx.Err(); err != nil {
		var zero T
		return zero, err
	}
	if r.Ready() { // without making a channel
		return r.value, r.err
	}
	if err := await(ctx, r.s, r.job, r.Done()); err != nil {
		var zero T
		return zero, err
	}
	return r.value, r.err
}

// await waits until done is closed, or ctx ends: then it returns ctx's error. A task that
// waits for another one of its own pool of goroutines lends it its place.
func await(ctx context.Context, s *pool.Scheduler, j *pool.Job, done <-chan struct{}) error {
	if s.Soon(done) {
		return nil
	}
	waiting := s.Attend(ctx, j)
	defer waiting.Leave()
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-waiting.Doubt:
			waiting.Look()
		}
	}
}

// Done returns a channel that is closed when the outcome is there.
func (r *Result[T]) Done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
		if r.ready {
			close(r.done)
		}
	}
	return r.done
}

// Ready says whether the outcome is there.
func (r *Result[T]) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// Err is the outcome's error; nil before it is there.
func (r *Result[T]) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Cancel drops the task if it waits; if it runs, its ctx ends and its worker is
// killed after PoolConfig.Grace. It does not wait. The outcome is ErrCancelled, unless
// there was one before: at once, or if the input is just being encoded when that is done.
func (r *Result[T]) Cancel() {
	if r.job != nil {
		r.s.Cancel(r.job, ErrCancelled)
	}
}

// OnDone has f called with the outcome when it is there. The callbacks of a pool
// run one after another on a goroutine of the pool, all before Join returns; one
// that panics does not stop the others, and Join tells.
func (r *Result[T]) OnDone(f func(T, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.callbacks = append(r.callbacks, f)
		return
	}
	r.call(f)
}

// AsCompleted yields the results as they are done, with their places in rs, as
// concurrent.futures.as_completed. When ctx ends the loop ends; what was not
// yielded is not done, or was done too late.
func AsCompleted[T any](ctx context.Context, rs ...*Result[T]) iter.Seq2[int, *Result[T]] {
	return func(yield func(int, *Result[T]) bool) {
		done := make(chan int, len(rs))
		left := make(chan struct{})
		defer close(left)
		for i, r := range rs {
			ended := r.Done()
			go func() {
				select {
				case <-ended:
					done <- i
				case <-left:
				}
			}()
		}
		waiting := attendAll(ctx, rs)
		defer waiting.leave()
		for n := 0; n < len(rs); {
			if ctx.Err() != nil {
				return
			}
			select {
			case i := <-done:
				if n++; !yield(i, rs[i]) {
					return
				}
			case <-waiting.doubt:
				waiting.look()
			case <-ctx.Done():
				return
			}
		}
	}
}

// attendances is the waiting for several results.
type attendances struct {
	all   []pool.Attendance
	doubt <-chan time.Time // of one of them; nil: there is none
}

func attendAll[T any](ctx context.Context, rs []*Result[T]) (as attendances) {
	for _, r := range rs {
		if r.job == nil || r.Ready() {
			continue
		}
		a := r.s.Attend(ctx, r.job)
		if a.Doubt != nil {
			as.doubt = a.Doubt
		}
		as.all = append(as.all, a)
	}
	return as
}

func (as *attendances) look() {
	for i := range as.all {
		as.all[i].Look()
	}
}

func (as *attendances) leave() {
	for i := range as.all {
		as.all[i].Leave()
	}
}

// WaitFor says what Wait waits for.
type WaitFor int

// What Wait waits for.
const (
	AllDone    WaitFor = iota // FIRST_COMPLETED, FIRST_EXCEPTION and ALL_COMPLETED of concurrent.futures
	FirstDone                 // some result
	FirstError                // a result with an error other than ErrCancelled, or all
)

// Wait waits until some or all results are done, or until ctx ends, as
// concurrent.futures.wait. It returns which are done and which are not, both in
// the order of rs.
func Wait[T any](ctx context.Context, when WaitFor, rs ...*Result[T]) (done, pending []*Result[T]) {
	if !enough(when, rs) {
		for _, r := range AsCompleted(ctx, rs...) {
			if when == FirstDone || when == FirstError && failed(r) {
				break
			}
		}
	}
	for _, r := range rs {
		if r.Ready() {
			done = append(done, r)
		} else {
			pending = append(pending, r)
		}
	}
	return done, pending
}

// enough says whether there is nothing to wait for.
func enough[T any](when WaitFor, rs []*Result[T]) bool {
	for _, r := range rs {
		if r.Ready() && (when == FirstDone || when == FirstError && failed(r)) {
			return true
		}
	}
	return false
}

func failed[T any](r *Result[T]) bool {
	err := r.Err()
	return err != nil && !errors.Is(err, ErrCancelled)
}
