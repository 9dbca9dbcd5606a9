package mp

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/task"
)

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
					fmt.Fprintf(os.Stderr, "mp: a function of OnExit panicked: %s\n\n%s", task.Text(v), debug.Stack())
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
