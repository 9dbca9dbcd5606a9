package mp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/pool"
)

// Errors that functions and methods return, as they are or wrapped: test for them with errors.Is. The comment on
// each says when it is returned.
var (
	// ErrNoMain: this process has not come to Main.
	ErrNoMain = errors.New("mp: Main was not entered: call mp.Main first thing in main, or in TestMain")
	// ErrNotRegistered: a process does not know the Func's name.
	ErrNotRegistered = errors.New("mp: the function is not registered")
	// ErrOpen: Join was called before Close or Terminate.
	ErrOpen = pool.ErrOpen
	// ErrClosed: the pool or queue was closed (a closed queue gives out its last items first), this
	// handle was closed, or this end of a pipe has moved to another process.
	ErrClosed = carrier.ErrClosed
	// ErrTerminated: the pool was terminated before the task was done.
	ErrTerminated = pool.ErrTerminated
	// ErrCancelled: the task was cancelled by Result.Cancel or Pool.Drain, or in Outcomes because
	// another task failed with FailFast.
	ErrCancelled = pool.ErrCancelled
	// ErrMemory: a process passed its memory limit, its own or the kernel's.
	ErrMemory = pool.ErrMemory
	// ErrBroken: the barrier is broken, or the pool cannot start workers. If the cause may pass, the pool
	// tries for PoolConfig.StartPatience first; the text says how often it did.
	ErrBroken = carrier.ErrBroken
	// ErrRecycled, in events: the worker ended after PoolConfig.TasksPerWorker tasks, because it held too
	// much memory between two tasks, or by Pool.Recycle.
	ErrRecycled = pool.ErrRecycled
	// ErrResized, in events: the worker ended because Pool.Resize made the pool smaller.
	ErrResized = pool.ErrResized
	// ErrIdle, in events: the worker ended after PoolConfig.IdleTimeout without a task.
	ErrIdle = pool.ErrIdle
	// ErrFull: there is no room in the pool for a call with NoWait, in the queue for an item, in the
	// buffer for a message, or in the bounded semaphore for a permit.
	ErrFull = carrier.ErrFull
	// ErrEmpty: the queue has no item.
	ErrEmpty = carrier.ErrEmpty
	// ErrNotOwner: the Hold to release or to wait with holds nothing, or no longer does.
	ErrNotOwner = carrier.ErrNotOwner
	// ErrAbandoned: a process died before it finished items of the queue that it had got.
	ErrAbandoned = carrier.ErrAbandoned
	// ErrLost: the holder of the object, such as a server, is gone. Only after this error may an
	// operation have had its effect: a Get may have taken its item.
	ErrLost = carrier.ErrLost
)

var errNilFunc = errors.New("mp: the Func is nil: make it with mp.Register")

// TaskError reports why a task has no value. Any other error of a call is about the
// call as a whole: its ctx, the pool.
type TaskError struct {
	Func     string
	Index    int // of the input in its call, from 0
	Attempts int // that were made
	PID      int // of the worker of the last one; 0: it was not sent
	Err      error
}

// Error names the task and the cause.
func (e *TaskError) Error() string { return errtext.OnePrefix(e.task() + ": " + e.Err.Error()) }

// task names the task.
func (e *TaskError) task() string {
	s := fmt.Sprintf("mp: task %s[%d]", e.Func, e.Index)
	if e.Attempts > 1 {
		s += fmt.Sprintf(", attempt %d", e.Attempts)
	}
	return s
}

// Unwrap returns the cause.
func (e *TaskError) Unwrap() error { return e.Err }

// MapError is why a Map has not all of its values. With FailFast it lists what has
// failed; what was cancelled for it is zero and not listed.
type MapError struct {
	Errs  []*TaskError // by index
	Total int          // tasks in the call
}

// Error shows the first three and the count.
func (e *MapError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mp: %d of %d tasks failed", len(e.Errs), e.Total)
	for i, err := range e.Errs {
		if i == 3 {
			fmt.Fprintf(&b, "; and %d more", len(e.Errs)-i)
			break
		}
		b.WriteString("; ")
		b.WriteString(err.Error())
	}
	return errtext.OnePrefix(b.String())
}

// Unwrap returns all of them.
func (e *MapError) Unwrap() []error {
	errs := make([]error, len(e.Errs))
	for i, err := range e.Errs {
		errs[i] = err
	}
	return errs
}

// WorkerDiedError says that the worker ended while it ran the task.
type WorkerDiedError struct {
	PID      int
	ExitCode int       // -N: ended by signal N
	Signal   os.Signal // nil: it exited
	Reason   string    // the line that says why, such as "fatal error: ..." or "SIGSEGV: ..."; "": not known
	Stderr   string    // its last words, at most 32 KiB
}

// reasonOOM is the Reason of a process that the kernel killed for its memory.
const reasonOOM = "out of memory: killed by the kernel"

// Error says how it ended and why.
func (e *WorkerDiedError) Error() string {
	return fmt.Sprintf("mp: the worker (pid %d) died: %s", e.PID, ending(e.ExitCode, e.Signal, e.Reason))
}

// Is says that a worker that got no more memory, or that the kernel killed for
// its memory, is ErrMemory.
func (e *WorkerDiedError) Is(target error) bool {
	return target == ErrMemory && outOfMemory(e.Reason)
}

// outOfMemory says whether a process ended for want of memory. The other two are
// what the Go runtime says when the kernel gives it none.
func outOfMemory(reason string) bool {
	switch strings.TrimPrefix(strings.TrimPrefix(reason, "fatal error: "), "runtime: ") {
	case "out of memory", "cannot allocate memory":
		return true
	}
	return reason == reasonOOM
}

// ending is how a process ended, in words.
func ending(code int, sig os.Signal, reason string) string {
	s := fmt.Sprintf("exit code %d", code)
	if sig != nil {
		s = "signal: " + sig.String()
	}
	if reason != "" {
		s += ": " + reason
	}
	return s
}

// TimeoutError says that the task did not end in the time it was given. It is
// context.DeadlineExceeded.
type TimeoutError struct {
	After time.Duration // the time it was given
	Stack string        // where the task was when its worker was killed; "": it returned, or did not answer
}

// Error says how long it had, and where the program was then. With %+v the error prints its stack.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("mp: not done after %v%s", e.After, inParentheses(placeIn(e.Stack)))
}

// Is says that this is context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout says that this is a timeout, as net.Error does.
func (e *TimeoutError) Timeout() bool { return true }

// PanicError says that the function panicked. Its worker lives on.
type PanicError struct {
	Value string // what it panicked with, as text
	Stack string
}

// Error says what it panicked with and where, as in
//
//	mp: panic: index out of range [3] with length 0 (main.go:17 main.crash)
//
// which is the innermost place of the program's own. With %+v the error prints its stack.
func (e *PanicError) Error() string {
	return "mp: panic: " + strings.TrimPrefix(e.Value, "runtime error: ") + inParentheses(placeIn(e.Stack))
}

// StackTrace returns the two.
func (e *PanicError) StackTrace() (value, stack string) { return e.Value, e.Stack }

// ExitError says how a process ended that did not end well.
type ExitError struct {
	PID    int
	Code   int       // -N: ended by signal N
	Signal os.Signal // nil: it exited
	Err    error     // what its Func returned, a *PanicError, or why it was killed; nil: not known
	Reason string    // the line that says why, such as "panic: ..."; "": not known
	Stderr string    // its last words, at most 32 KiB
}

// Error says how it ended and why.
func (e *ExitError) Error() string {
	reason := e.Reason
	if e.Err != nil {
		reason = e.Err.Error()
	}
	return e.told(reason)
}

// told is the text with a reason.
func (e *ExitError) told(reason string) string {
	return errtext.OnePrefix(fmt.Sprintf("mp: the process (pid %d) ended: %s", e.PID, ending(e.Code, e.Signal, reason)))
}

// Unwrap returns Err.
func (e *ExitError) Unwrap() error { return e.Err }

// Is says that a process that got no more memory, or that the kernel killed for
// its memory, is ErrMemory.
func (e *ExitError) Is(target error) bool { return target == ErrMemory && outOfMemory(e.Reason) }

// permanentError is not to be retried.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }

func (e *permanentError) Unwrap() error { return e.err }

// Permanent wraps an error that is not to be retried: see Retries. Permanent(nil)
// is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}
