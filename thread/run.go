package thread

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/gomultiprocessing/mp"
)

// run calls f and settles how it ended.
func (t *Thread) run(f func(context.Context) error) {
	err := errGoexit
	defer t.finish() // also when the hook calls runtime.Goexit
	defer func() { t.settle(err) }()
	err = called(t.ctx, f)
}

// called returns f's error, or a PanicError if f panics. For panic(nil) recover may return nil, as it does after
// runtime.Goexit; but after runtime.Goexit called does not return.
func called(ctx context.Context, f func(context.Context) error) (err error) {
	returned := false
	defer func() {
		if !returned {
			err = &mp.PanicError{Value: text(recover()), Stack: string(debug.Stack())}
		}
	}()
	err = f(ctx)
	returned = true
	return err
}

// settle records how the thread ended, and calls the hook if no Join waits.
func (t *Thread) settle(err error) {
	t.err = err
	report := err != nil && !obeyed(t.ctx, err)
	t.cancel()
	t.mu.Lock()
	t.settled, t.hooked = true, report && t.joins == 0
	report = t.hooked
	t.mu.Unlock()
	if report {
		except(t, err)
	}
}

// finish marks the thread as ended.
func (t *Thread) finish() {
	threads.remove(t)
	t.mu.Lock()
	t.settled = true
	t.mu.Unlock()
	t.forgetLocals()
	close(t.done)
}

// errGoexit is the error of a thread that neither returned nor panicked.
var errGoexit = errors.New("mp: the function of the thread ended its goroutine by runtime.Goexit: return instead")
