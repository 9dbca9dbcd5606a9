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

// Daemon makes a daemon thread, one that JoinAll does not wait for, as threading.Thread(daemon=True). A daemon
// serves the other threads and has nothing to do when they have ended: JoinAll cancels its ctx then. Threads
// that a daemon starts with its own ctx are daemons too.
func Daemon() Option { return daemon{} }

type daemon struct{}

func (daemon) apply(t *Thread) { t.daemon = true }

// Start runs f on a new goroutine with a name, as threading.Thread(target=f, name=name).start(). It does not
// wait for f. An empty name stands for Thread-1, Thread-2 and so on. Names need not be unique. With Daemon,
// JoinAll does not wait for the thread.
//
// f gets its own ctx, with the values and the deadline of the given one. It ends with the given ctx, by
// Thread.Cancel, and when f returns. To start something that outlives the thread, such as another thread, pass
// it context.WithoutCancel of that ctx, or another ctx. Current finds the thread by its ctx, and Local its
// values.
//
// A goroutine cannot be killed: f must look at its ctx and return. A panic of f does not end the program: Join
// returns it, or the function of SetExceptHook gets it.
//
// In a pool's worker, a thread that a task started outlives the task if its ctx is not the task's. The process
// of mp.Start or mp.Call ends with its Func, and so do all threads in it: let the Func call JoinAll.
//
// Start costs about a microsecond and some hundred bytes more than a go statement. It is safe for concurrent
// use. The error is ctx's if ctx has already ended, or says that f is nil; nothing is started then.
func Start(ctx context.Context, name string, f func(context.Context) error, opts ...Option) (*Thread, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("mp: thread.Start(%q): the function is nil", name)
	}
	return start(ctx, name, "Thread", f, opts), nil
}

// StartRunner is Start for a value with a Run method, as a subclass of threading.Thread with a run method: it
// runs r.Run. An empty name stands for one made from the type, MyThread-N. The error is ctx's if ctx has already
// ended, or says that r is nil.
func StartRunner(ctx context.Context, name string, r mp.Runner, opts ...Option) (*Thread, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r == nil {
		return nil, fmt.Errorf("mp: thread.StartRunner(%q): the Runner is nil", name)
	}
	return start(ctx, name, typeName(r), r.Run, opts), nil
}

var unnamed atomic.Int64 // threads without a given name so far

// nextName returns a name for a thread or Timer without one. It uses each number once in the whole program.
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
