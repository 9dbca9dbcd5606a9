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

// OnExit registers f to be called at the end of this process, as Python's atexit: to flush spans, profiles and
// logs. The last registered function is called first, and each is called once. All of them share one ctx, which
// ends after the Grace of the ProcessConfig or PoolConfig, or after a second if none was set. A function that
// has not returned by then is abandoned.
//
// In a process of Start or Call the functions are called when its Func has returned, failed or panicked. In a
// worker of a pool of processes they are called when the pool ends the worker, after PoolConfig.Exit. They are
// not called when the process is killed by a signal (by Kill, Terminate or a deadline), dies of a fatal error of
// the Go runtime, or calls os.Exit. This package cannot see the main process end: there JoinAll calls them after
// it has ended the children.
//
// A panic of f is printed to os.Stderr, and the other functions are still called. OnExit panics if f is nil. It
// does not wait and is safe for concurrent use, even by the functions that it was given.
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
