package thread

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/bubble"
)

// Option is an option of Start and StartRunner. The only one is Daemon.
type Option interface{ apply(*Thread) }

// Daemon makes the thread one that JoinAll does not wait for, as threading.Thread(daemon=True): it serves
// the others, and has nothing to do when they have ended. JoinAll cancels its ctx then. The threads that a daemon
// starts with its own ctx are daemons too.
func Daemon() Option { return daemon{} }

type daemon struct{}

func (daemon) apply(t *Thread) { t.daemon = true }

// Start runs f on a goroutine with a name, as threading.Thread(target=f, name=name).start().
// It does not wait for f. With the name "" it is Thread-1, Thread-2 and so on. Names need not
// be unique. Daemon makes it one that JoinAll does not wait for.
//
// A thread that a task of a process has started goes on, in a pool's worker, when the task is done and its ctx was not
// the task's; the process of mp.Start or mp.Call ends with its Func and all of its threads, so let that call JoinAll.
//
// f gets a ctx of its own. It has the values and the deadline of ctx and ends with it, by
// Thread.Cancel, and when f has returned: what shall outlive the thread, such as another
// thread that f starts, is given context.WithoutCancel of it or another ctx. Current finds the
// thread by that ctx, and Local its values.
//
// A goroutine cannot be killed: it is f that looks at its ctx and returns. A panic of f is
// not the end of the program: Join returns it, or SetExceptHook's function gets it.
//
// It costs about a microsecond and some hundred bytes more than a go statement. Any number
// of goroutines may call it. The error is ctx's when it has ended at entry, and that of an f
// that is nil; then nothing was started.
func Start(ctx context.Context, name string, f func(context.Context) error, opts ...Option) (*Thread, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("mp: thread.Start(%q): the function is nil", name)
	}
	return start(ctx, name, "Thread", f, opts), nil
}

// StartRunner is Start for a value that is a piece of work, as a subclass of threading.Thread
// with a run method: it runs r.Run. With the name "" it is named after the type, MyThread-N.
// The error is ctx's when it has ended at entry, and that of an r that is nil.
func StartRunner(ctx context.Context, name string, r mp.Runner, opts ...Option) (*Thread, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r == nil {
		return nil, fmt.Errorf("mp: thread.StartRunner(%q): the Runner is nil", name)
	}
	return start(ctx, name, typeName(r), r.Run, opts), nil
}

var unnamed atomic.Int64 // threads that got no name so far

// nextName is the name of what was given none. A number is used once in the whole program.
func nextName(kind string) string { return fmt.Sprintf("%s-%d", kind, unnamed.Add(1)) }

// typeName is the name of a Runner's type without package, pointer and type arguments.
func typeName(r mp.Runner) string {
	t := reflect.TypeOf(r)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, _, _ := strings.Cut(t.Name(), "[")
	return cmp.Or(name, "Thread")
}

// start starts the goroutine of a thread, which is named after its kind if it has no name.
func start(ctx context.Context, name, kind string, f func(context.Context) error, opts []Option) *Thread {
	if name == "" {
		name = nextName(kind)
	}
	t := newThread(ctx, name)
	for _, o := range opts {
		if o != nil {
			o.apply(t)
		}
	}
	threads.add(t)
	go t.run(f)
	return t
}

func newThread(ctx context.Context, name string) *Thread {
	t := &Thread{name: name, done: make(chan struct{}), daemon: Current(ctx).daemon, bubble: bubble.Number()}
	t.ctx, t.cancel = context.WithCancel(context.WithValue(ctx, threadKey{}, t))
	return t
}
