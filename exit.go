package mp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/talk"
)

// forWorkers is a Binding that is called in each worker of a pool; what names it.
func (b Binding) forWorkers(what string) (talk.Call, error) {
	if b.encode == nil {
		return talk.Call{}, nil
	}
	if err := b.known; err != nil {
		return talk.Call{}, errtext.Errorf("mp: NewPool: %s: %w", what, err)
	}
	input, err := b.encode()
	if err != nil {
		return talk.Call{}, errtext.Errorf("mp: NewPool: the input of %s: %w", what, err)
	}
	if input.Moves() {
		input.Settle(false)
		return talk.Call{}, errors.New("mp: NewPool: the input of " + what + " holds something that belongs to one process, such as a pipe's end, and would go to every worker")
	}
	if err := input.DuplicateFiles(); err != nil { // workers are started as long as the pool lives
		input.Settle(false)
		return talk.Call{}, errtext.Errorf("mp: NewPool: the input of %s: %w", what, err)
	}
	return talk.Call{Func: b.name, Input: input}, nil
}

// exitGraceOf is what Exit and OnExit may take: the Grace that was set, or a second.
func exitGraceOf(grace time.Duration) time.Duration {
	if grace <= 0 {
		return time.Second
	}
	return grace
}

// grace is what the scheduler allows for an Exit; 0: there is none.
func (b Binding) grace(d time.Duration) time.Duration {
	if b.encode == nil {
		return 0
	}
	return d
}

// exits are what OnExit has registered and what was not called yet.
var exits struct {
	mu sync.Mutex
	fs []func(ctx context.Context)
}

// OnExit has f called at the end of this process, the last registered first, as Python's atexit: to
// flush spans, profiles and logs. Each is called once. ctx ends when the time is over, for all
// together: Grace of the ProcessConfig or PoolConfig, or a second where none was set. One that
// does not return by then is left alone.
//
// In a process of Start and Call they are called when its Func has returned, failed or panicked; in a
// worker of a pool of processes when it ends as its pool wants, after PoolConfig.Exit. They are not called
// when the process is killed by a signal (by Kill, Terminate, a deadline), by a fatal error of the Go runtime, or
// calls os.Exit. In the main process, of whose end this package knows nothing, JoinAll calls them
// when it has ended the children.
//
// A panic of f is printed to os.Stderr, and the others are called. OnExit panics when f is nil, does not
// wait, and may be called by any number of goroutines, also by the functions that it was given.
func OnExit(f func(ctx context.Context)) {
	if f == nil {
		panic("mp: OnExit: the function is nil")
	}
	exits.mu.Lock()
	defer exits.mu.Unlock()
	exits.fs = append(exits.fs, f)
}

// nextExit takes the last one registered; nil: there is none.
func nextExit() func(ctx context.Context) {
	exits.mu.Lock()
	defer exits.mu.Unlock()
	n := len(exits.fs)
	if n == 0 {
		return nil
	}
	f := exits.fs[n-1]
	exits.fs = exits.fs[:n-1]
	return f
}

// Leave calls what OnExit has registered, until ctx ends.
func (program) Leave(ctx context.Context) {
	for f := nextExit(); f != nil; f = nextExit() {
		done := make(chan struct{})
		go func() {
			defer close(done) // also after runtime.Goexit
			defer func() {
				if v := recover(); v != nil {
					fmt.Fprintf(os.Stderr, "mp: a function of OnExit panicked: %s\n\n%s", text(v), debug.Stack())
				}
			}()
			f(ctx)
		}()
		select {
		case <-done:
			continue
		case <-ctx.Done():
		}
		select {
		case <-done:
		case <-time.After(exitPatience):
			fmt.Fprintln(os.Stderr, "mp: a function of OnExit did not return in time, and was left alone")
			return
		}
	}
}

// exitPatience is how long after its ctx one who heeds it may return.
const exitPatience = 20 * time.Millisecond

// leaveMain is Leave in the main process.
func leaveMain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	program{}.Leave(ctx)
}
