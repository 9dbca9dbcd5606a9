package thread

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/task"
)

var exceptHook atomic.Pointer[func(*Thread, error)] // nil: printPanic

// SetExceptHook sets the function to call when a thread ends by a panic or an error and no Join waits for it, as
// threading.excepthook. The hook runs on the thread's goroutine before the thread's Done is closed, so it has
// returned when a Join or JoinAll returns. Threads that end at the same time call it at the same time.
//
// The error is the one that Join returns: a *mp.PanicError for a panic. The hook is not called for a thread that
// obeyed its ctx: one whose ctx has ended and whose function returned the error of that ctx.
//
// The default prints panics to os.Stderr, with the thread's name and stack, and ignores errors; nil restores it.
// If the hook panics, the panic is printed and the program goes on. The hook must not wait for its thread, which
// has not ended yet.
func SetExceptHook(hook func(*Thread, error)) {
	if hook == nil {
		exceptHook.Store(nil)
		return
	}
	exceptHook.Store(&hook)
}

// except calls the hook.
func except(t *Thread, err error) {
	hook := printPanic
	if h := exceptHook.Load(); h != nil {
		hook = *h
	}
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(os.Stderr, "mp: the function of thread.SetExceptHook panicked: %s\nIt was called for the thread %s, which ended with: %s\n%s",
				text(v), t.name, text(err), debug.Stack())
		}
	}()
	hook(t, err)
}

// printPanic is the default hook.
func printPanic(t *Thread, err error) {
	if p, ok := err.(*mp.PanicError); ok {
		fmt.Fprintf(os.Stderr, "mp: the thread %s ended with a panic: %s\n%s", t.name, p.Value, p.Stack)
	}
}

// obeyed reports whether a thread returned err because its ctx has ended.
func obeyed(ctx context.Context, err error) bool {
	is := func() bool { return errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)) }
	if task.IsPlain(err) {
		return is()
	}
	obeys, bad := task.Guard(is) // an Is method of the error's
	return obeys && bad == nil
}
