package thread

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gomultiprocessing/mp/internal/task"
)

// threadKey finds a Thread in the ctx of its function.
type threadKey struct{}

// OwnOfCtx implements task.Own: a task is not a thread of its caller.
func (threadKey) OwnOfCtx() {}

// Current returns the thread whose function got ctx, or a ctx that ctx was made from, as
// threading.current_thread. Outside any thread it returns MainThread. It does so in the tasks of a pool as well:
// mp.CurrentTask tells their worker, and a Local has a value for each worker. Current does not block and costs
// what ctx.Value does.
func Current(ctx context.Context) *Thread {
	if t, ok := ctx.Value(threadKey{}).(*Thread); ok {
		return t
	}
	return mainThread
}

// Thread is a goroutine with a name that can be waited for, as threading.Thread. Start, StartRunner and After
// make one; MainThread exists from the beginning. Its methods are safe for concurrent use.
type Thread struct {
	name   string
	ctx    context.Context // that f gets
	cancel func()
	done   chan struct{}
	err    error // valid after done
	daemon bool  // JoinAll does not wait for it
	bubble int   // of testing/synctest; 0: none. Only a goroutine of the same bubble may wait for done

	place *list.Element // in threads, whose lock guards it

	mu      sync.Mutex
	joins   int  // calls of Join that wait
	settled bool // err is known, and whether the hook gets it
	hooked  bool
	gone    bool // it has ended and has no values of Locals
	locals  []localOf
}

// mainThread stands for whatever runs outside the threads of this package. It has no done:
// it ends with the program.
var mainThread = &Thread{name: "MainThread", ctx: context.Background(), cancel: func() {}}

// ended is the Done of a Thread that was not started.
var ended = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Name returns the name that was given to Start, or Thread-N.
func (t *Thread) Name() string { return t.name }

// Daemon reports whether JoinAll does not wait for the thread, as threading.Thread.daemon.
func (t *Thread) Daemon() bool { return t.daemon }

// String returns the name and whether the thread is alive.
func (t *Thread) String() string {
	if t.Alive() {
		return fmt.Sprintf("Thread(%s, alive)", t.name)
	}
	return fmt.Sprintf("Thread(%s, ended)", t.name)
}

// Alive reports whether the thread has not ended: its Done is not closed. MainThread is always alive.
func (t *Thread) Alive() bool {
	select {
	case <-t.Done():
		return false
	default:
		return true
	}
}

// Done returns a channel that is closed when the thread has ended. By then its function has returned, and so has
// the function of SetExceptHook if it was called; Enumerate no longer lists the thread, and its values of Locals
// are gone. MainThread's Done is nil: receiving from it blocks forever.
func (t *Thread) Done() <-chan struct{} {
	if t.done == nil && t != mainThread {
		return ended
	}
	return t.done
}

// Join waits until the thread has ended, as threading.Thread.join, and returns how it ended: nil or the error
// that its function returned, a *mp.PanicError with value and stack if it panicked, or an error that reports
// runtime.Goexit. It may be called any number of times and returns the same each time.
//
// If ctx ends first, the error is ctx's; Alive tells it from a thread that returned such an error. If the thread
// has already ended, Join returns its outcome even if ctx has ended, too. A thread that joined itself would wait
// forever: with the thread's own ctx, or one made from it, Join returns an error at once. It does so for
// MainThread as well, which ends with the program.
func (t *Thread) Join(ctx context.Context) error {
	if err := t.joinable(ctx); err != nil {
		return err
	}
	if !t.enterJoin() {
		<-t.done // at once
		return t.err
	}
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
	}
	if t.leaveJoin() {
		<-t.done // at once
		return t.err
	}
	return ctx.Err()
}

// joinable says why waiting for the thread would never end.
func (t *Thread) joinable(ctx context.Context) error {
	switch {
	case t == mainThread:
		return errors.New("mp: MainThread cannot be joined: it ends with the program")
	case t.done == nil:
		return errors.New("mp: Join: the Thread was not started: make it with thread.Start")
	case t == Current(ctx) && t.Alive():
		return fmt.Errorf("mp: the thread %s cannot join itself: pass a ctx other than its own", t.name)
	}
	return nil
}

// enterJoin counts a Join that waits. It reports false if there is nothing to wait for.
func (t *Thread) enterJoin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone {
		return false
	}
	t.joins++
	return true
}

// leaveJoin says that a Join whose ctx has ended must return the outcome all the same: the
// hook was not given it because of this Join.
func (t *Thread) leaveJoin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.joins--
	return t.settled && !t.hooked
}

// Cancel asks the thread to end: it cancels the ctx of the thread's function. It does not wait. It has no effect
// on a thread that has ended, nor on MainThread. For the thread of a Timer that has not fired it is
// Timer.Cancel.
func (t *Thread) Cancel() {
	if t.cancel != nil {
		t.cancel()
	}
}

// text is a value as fmt prints it, whatever its own methods do.
func text(v any) string { return task.Text(v) }

// localOf is a Local that has a value of a thread.
type localOf interface {
	forget(*Thread)
	garbage() bool
}
