package thread

import (
	"context"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/bubble"
)

// Timer calls a function once, later, as threading.Timer. After makes one. Its methods are safe for concurrent
// use.
type Timer struct {
	thread *Thread
	f      func()

	mu    sync.Mutex // held until timer is set: it may fire before
	timer *time.Timer
}

// After calls f once, on a new goroutine, when d has passed, or at once if d is not positive. It does not wait.
// Until d has passed it needs no goroutine.
//
// As in Python a Timer is a thread, Timer-N, from now until its Done is closed: Enumerate lists it, and JoinAll
// waits for it. A panic of f does not end the program: the function of SetExceptHook gets it. f must not wait
// for its own Timer, nor call JoinAll, which would.
//
// After panics if f is nil.
func After(d time.Duration, f func()) *Timer {
	if f == nil {
		panic("mp: thread.After: the function is nil")
	}
	tm := &Timer{f: f}
	tm.thread = &Thread{
		name: nextName("Timer"), ctx: context.Background(), cancel: func() { tm.Cancel() },
		done: make(chan struct{}), bubble: bubble.Number(),
	}
	tm.mu.Lock()
	defer tm.mu.Unlock()
	threads.add(tm.thread)
	tm.timer = time.AfterFunc(d, tm.fire)
	return tm
}

// Cancel stops the Timer and reports whether it did: true means that f was not called and will not be. It has no
// effect once f has begun, or after an earlier Cancel. It does not wait.
func (tm *Timer) Cancel() bool {
	tm.mu.Lock()
	stopped := tm.timer != nil && tm.timer.Stop() // nil: it was not made by After
	tm.mu.Unlock()
	if stopped {
		tm.thread.finish()
	}
	return stopped
}

// Done returns a channel that is closed when f has returned or panicked, or when Cancel has stopped the Timer.
func (tm *Timer) Done() <-chan struct{} {
	if tm.thread == nil {
		return ended
	}
	return tm.thread.done
}

// fire runs f as a thread once the time has come.
func (tm *Timer) fire() {
	tm.thread.run(func(context.Context) error {
		tm.f()
		return nil
	})
}
