package mp

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/pool"
)

// Result is the handle of a call whose outcome may not be known yet, as Python's AsyncResult and Future. Pools
// and NewResult make one. Its methods are safe for concurrent use.
type Result[T any] struct {
	s   *pool.Scheduler // runs callbacks; nil: the Result runs them itself
	job *pool.Job       // what Cancel cancels; nil: the Result itself

	mu        sync.Mutex
	ready     bool
	calling   bool // a goroutine runs callbacks, without s
	done      chan struct{}
	value     T
	err       error
	listeners []listener[T]
}

// listener is told when the outcome is there: a callback of the program, or a waiter.
type listener[T any] struct {
	call func(T, error)
	wake waker
}

// waker is a waiter of several results. tell does not block.
type waker interface{ tell() }

// NewResult makes a Result without a pool, as Python's concurrent.futures.Future(), and the function that sets
// its outcome. set reports whether it did: false means that an earlier set or Cancel has given the Result its
// outcome, which stays. A producer that can stop early waits for Done, which Cancel closes as well.
//
// Neither NewResult nor set blocks, and set is safe for concurrent use. Callbacks of OnDone run one after
// another on a goroutine of the Result; a panic in one ends the program, as in any goroutine. If set is never
// called, a Get without a deadline waits forever.
func NewResult[T any]() (r *Result[T], set func(v T, err error) bool) {
	r = new(Result[T])
	return r, r.complete
}

// failedResult is the Result of what was not submitted.
func failedResult[T any](p *Pool, err error) *Result[T] {
	r := &Result[T]{ready: true, err: err}
	if p != nil {
		r.s = p.s
	}
	return r
}

// complete sets the outcome, once, and says whether it did.
func (r *Result[T]) complete(v T, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ready {
		return false
	}
	r.ready, r.value, r.err = true, v, err
	listeners := r.listeners
	r.listeners = nil
	for _, l := range listeners {
		if l.call != nil {
			r.call(l.call) // queued before a waiter can see that it is done
		}
	}
	for _, l := range listeners {
		if l.wake != nil {
			l.wake.tell()
		}
	}
	if r.done != nil {
		close(r.done)
	}
	return true
}

// call queues a callback. The lock is held.
func (r *Result[T]) call(f func(T, error)) {
	if r.s != nil {
		v, err := r.value, r.err
		r.s.Callback(func() { f(v, err) })
		return
	}
	r.listeners = append(r.listeners, listener[T]{call: f})
	if !r.calling {
		r.calling = true
		go r.runCallbacks()
	}
}

// runCallbacks runs the callbacks of a Result that is no pool's.
func (r *Result[T]) runCallbacks() {
	over := false
	defer func() {
		if !over {
			go r.runCallbacks() // the callback has ended its goroutine
		}
	}()
	for {
		r.mu.Lock()
		if len(r.listeners) == 0 {
			r.calling, over = false, true
			r.mu.Unlock()
			return
		}
		f := r.listeners[0].call
		r.listeners = r.listeners[1:]
		r.mu.Unlock()
		f(r.value, r.err)
	}
}

// Get waits for the outcome. The error is the outcome's (see Apply and Map), or ctx's if ctx ends first; the
// task goes on then. Get may be called again. If the outcome is there, Get returns it even if ctx has ended.
func (r *Result[T]) Get(ctx context.Context) (T, error) {
	if r.Ready() { // without making a channel
		return r.value, r.err
	}
	err := ctx.Err()
	if err == nil {
		err = await(ctx, r.s, r.job, r.Done())
	}
	if err != nil && !r.Ready() {
		var zero T
		return zero, err
	}
	return r.value, r.err
}

// await waits until done is closed, or ctx ends: then it returns ctx's error. A task that
// waits for another one of its own pool of goroutines has a compensating worker meanwhile.
func await(ctx context.Context, s *pool.Scheduler, j *pool.Job, done <-chan struct{}) error {
	if s.Yield(done) {
		return nil
	}
	waiting := s.AddWaiter(ctx, j)
	defer waiting.Remove()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
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

// Ready reports whether the outcome is there.
func (r *Result[T]) Ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// Running reports whether a worker is running the task, or one of the tasks of MapAsync, as Python's
// Future.running. It does not wait, and looks at every worker of the pool. It is false for a task that waits for
// its next attempt, once the outcome is there, and for a Result of NewResult.
func (r *Result[T]) Running() bool {
	return r.job != nil && !r.Ready() && r.s.Runs(r.job)
}

// Err returns the outcome's error, or nil before the outcome is there.
func (r *Result[T]) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Cancel drops a waiting task. It ends the ctx of a running one, and the pool kills its worker after
// PoolConfig.Grace. Cancel does not wait. Unless there was an outcome before, it becomes ErrCancelled: at once,
// or when the encoding of the input is done if that is under way. A Result of NewResult is ErrCancelled at once.
func (r *Result[T]) Cancel() {
	if r.job != nil {
		r.s.Cancel(r.job, ErrCancelled)
		return
	}
	var zero T
	r.complete(zero, ErrCancelled)
}

// TryCancel cancels the task only if it has not begun, as Python's Future.cancel. It returns true if the Func
// was never called for the task and never will be; the outcome is ErrCancelled then. For MapAsync that goes for
// all of its tasks. It returns false, and changes nothing, if the task has begun, has its outcome, or is being
// sent in a way that cannot be undone: its input holds something that leaves this process, such as a pipe's end.
// It does not wait, and looks at every worker of the pool.
//
// A Result of NewResult has no task that begins: there TryCancel is Cancel, and reports whether there was no
// outcome yet.
func (r *Result[T]) TryCancel() bool {
	if r.job != nil {
		return r.s.TryCancel(r.job, ErrCancelled)
	}
	var zero T
	return r.complete(zero, ErrCancelled)
}

// OnDone registers f to be called with the outcome, at once if it is there. A pool runs callbacks one after
// another on one of its goroutines, all before Join returns. A callback that panics does not stop the others,
// and Join reports it. A callback is queued before Get returns and Done is closed, but may run after that. A
// slow callback delays only those behind it.
func (r *Result[T]) OnDone(f func(T, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.listeners = append(r.listeners, listener[T]{call: f})
		return
	}
	r.call(f)
}

// aResult is a Result of any type: a generic type has no reflect.Type.
type aResult interface{ belongsHereAsResult() }

func (*Result[T]) belongsHereAsResult() {}

func init() {
	codec.Refuse(reflect.TypeFor[aResult](), "a Result belongs to the process that submitted the task: wait for it, and send the value")
}

// String is for logs: the type of the value, and whether it is there. It does not show the value.
func (r *Result[T]) String() string {
	t := reflect.TypeFor[T]()
	switch {
	case r == nil:
		return fmt.Sprintf("Result(nil %v)", t)
	case !r.Ready():
		return fmt.Sprintf("Result(%v, pending)", t)
	}
	if err := r.Err(); err != nil {
		return fmt.Sprintf("Result(%v, failed: %v)", t, err)
	}
	return fmt.Sprintf("Result(%v, done)", t)
}
