package mp

import (
	"fmt"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// TaskOption says how the tasks of one call are treated.
type TaskOption func(*taskOptions)

type taskOptions struct {
	timeout  time.Duration
	retries  int
	backoff  Backoff
	failFast bool
	priority int
	chunk    int
	window   int
	capture  int
	noWait   bool
	progress func(done, total int)
	err      error // the first thing that was wrong
}

func (o *taskOptions) wrong(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("mp: "+format, args...)
	}
}

func optionsOf(opts []TaskOption) (taskOptions, error) {
	if len(opts) == 0 {
		return taskOptions{}, nil // on the stack, as most calls have none
	}
	return collect(opts)
}

func collect(opts []TaskOption) (taskOptions, error) {
	var o taskOptions
	for _, set := range opts {
		if set != nil {
			set(&o)
		}
	}
	return o, o.err
}

// Timeout limits each attempt of a task to d from its begin in the worker. Then the task's ctx ends; if it still
// runs after PoolConfig.Grace, its worker is killed and replaced, and the error is a *TimeoutError. What a task
// returns within the grace is kept; an outcome of more than 32 KiB must also be sent by then. Time during which
// Ctrl-Z has stopped the program does not count.
func Timeout(d time.Duration) TaskOption {
	return func(o *taskOptions) {
		if d < 0 {
			o.wrong("Timeout(%v) is negative", d)
		}
		o.timeout = d
	}
}

// Retries gives a task n further attempts after its worker died, a timeout, a panic or an error that is not
// Permanent. So a task may begin more than once. A task that began with an input that has left this process,
// such as a pipe's end, is not retried: that input is gone.
func Retries(n int, b Backoff) TaskOption {
	return func(o *taskOptions) {
		if n < 0 {
			o.wrong("Retries(%d) is negative", n)
		}
		if err := b.check(); err != nil && o.err == nil {
			o.err = err
		}
		o.retries, o.backoff = n, b
	}
}

// Backoff says how long a failed task waits before its next attempt: Min after the
// first, Factor times as long after each further one, at most Max, less a random
// part of up to Jitter of it. What is zero is 10 ms, 1 s, 2 and 0.5. A negative Min or Max, a Min
// that is more than Max, a Factor under 1 and a Jitter over 1 are errors of the call.
type Backoff struct {
	Min, Max time.Duration
	Factor   float64
	Jitter   float64 // 0 to 1; negative: none
}

func (b Backoff) pool() pool.Backoff {
	if b.Min <= 0 {
		b.Min = 10 * time.Millisecond
	}
	if b.Max <= 0 {
		b.Max = time.Second
	}
	if b.Factor == 0 {
		b.Factor = 2
	}
	if b.Jitter == 0 {
		b.Jitter = 0.5
	}
	return pool.Backoff{Min: b.Min, Max: max(b.Max, b.Min), Factor: max(b.Factor, 1), Jitter: min(max(b.Jitter, 0), 1)}
}

// check says what cannot work in a Backoff.
func (b Backoff) check() error {
	switch {
	case b.Min < 0 || b.Max < 0:
		return fmt.Errorf("mp: Retries: Backoff{Min: %v, Max: %v}: neither may be negative", b.Min, b.Max)
	case b.Max > 0 && b.Min > b.Max:
		return fmt.Errorf("mp: Retries: Backoff{Min: %v, Max: %v}: Min is more than Max", b.Min, b.Max)
	case b.Factor != 0 && !(b.Factor >= 1 && b.Factor <= maxFactor):
		return fmt.Errorf("mp: Retries: Backoff.Factor is %v: it must be 1 to %v, or 0 for 2", b.Factor, float64(maxFactor))
	case b.Jitter != b.Jitter || b.Jitter > 1:
		return fmt.Errorf("mp: Retries: Backoff.Jitter is %v: it must be at most 1", b.Jitter)
	}
	return nil
}

// maxFactor takes a wait from a nanosecond to a century in two steps.
const maxFactor = float64(100 * 365 * 24 * time.Hour)

// FailFast makes the first failure, in time, cancel the rest of the call. Tasks that ended before it keep their
// outcomes. Map returns those outputs with its *MapError. Imap yields, in order, the outputs up to the first
// cancelled task, and then the failure; so a task in front of the failed one may yield nothing.
func FailFast() TaskOption { return func(o *taskOptions) { o.failFast = true } }

// Priority puts tasks before those with a lower number, even those that were sent ahead to a worker. The default
// is 0.
//
// Calls of equal priority share the workers' time equally, whatever their kind, Window, Chunk and age, as long
// as they have tasks. The tasks of one call begin in their order, and so do calls of one task each.
func Priority(n int) TaskOption { return func(o *taskOptions) { o.priority = n } }

// Chunk hands tasks to a worker n at a time, at most 65,536, or fewer while other calls want the workers too.
// Without it the pool derives the number from how long tasks take.
func Chunk(n int) TaskOption {
	return func(o *taskOptions) {
		if n < 1 {
			o.wrong("Chunk(%d): at least 1", n)
		}
		o.chunk = min(n, 65536)
	}
}

// Window bounds how many inputs of a lazy call are taken and not yet yielded as outcomes. Finished tasks that
// wait for an earlier one count, too. The default is 8 a worker.
func Window(n int) TaskOption {
	return func(o *taskOptions) {
		if n < 1 {
			o.wrong("Window(%d): at least 1", n)
		}
		o.window = n
	}
}

// Capture keeps the last max bytes of what each task writes to its standard output and error, in its Outcome,
// instead of passing them on. 0 stands for 1 MiB; the most is 64 MiB. It is for Outcomes; other calls have no
// place for captured output. The output of goroutines cannot be told apart: in a pool of them, Imap,
// ImapUnordered and Outcomes return an error.
func Capture(max int) TaskOption {
	return func(o *taskOptions) {
		if max < 0 {
			o.wrong("Capture(%d) is negative", max)
		}
		if max > maxCapture {
			o.wrong("Capture(%d): at most %d", max, maxCapture)
		}
		if max == 0 {
			max = 1 << 20
		}
		o.capture = max
	}
}

// Progress calls f whenever tasks have ended, on the goroutine that waits for the call or ranges over it; for
// MapAsync, on the goroutine of the callbacks. done counts tasks; total is -1 while it is not known. A panic of
// f continues on that goroutine. Apply and ApplyAsync have one task and do not call it.
func Progress(f func(done, total int)) TaskOption {
	return func(o *taskOptions) { o.progress = f }
}

// NoWait makes a call fail with ErrFull, before any of it begins, if its tasks would have to wait and would make
// more than PoolConfig.MaxQueued tasks wait. Every kind of call obeys it, even those that otherwise never wait
// for room. Imap, ImapUnordered and Outcomes take their inputs as they go: they check once, when they begin, and
// count as one task. Tasks for which a worker is free do not count. Without MaxQueued, NoWait has no effect.
func NoWait() TaskOption { return func(o *taskOptions) { o.noWait = true } }
