package task

import (
	"context"
	"sync"
	"time"
)

// Context is the ctx of one call. Most functions never look at theirs, so it is
// one word until somebody asks for its Done; which call it is the ctx of, its place
// in the set says.
type Context struct{ set *Set }

// at is the ctx's place in its set.
func (c *Context) at() int {
	for i := range c.set.of {
		if c == &c.set.of[i] {
			return i
		}
	}
	panic("unreachable: a ctx that is not in its set")
}

// Common is what the contexts of a span have in common.
type Common struct {
	Program  Program
	Clock    Clock
	Func     string
	Worker   int
	Attempt  int
	Deadline int64         // of the call, on the clock; 0: none
	Timeout  time.Duration // of each task; 0: none
	Singles  bool          // each is the first of its job
	Place    any           // what the ctx says at PlaceKey; nil: nothing
	// Propagated is what the ctx says at PropagatedKey; nil: what Values say.
	Propagated map[string]string
}

// Program describes a task to the program.
type Program interface {
	// TaskKey is the key under which the ctx has what Task makes.
	TaskKey() any
	Task(fn string, index, attempt, worker int) any
}

// Clock is what deadlines are told on, in nanoseconds.
type Clock interface {
	Now() int64
	Time(ns int64) time.Time
	// Paused is for how long the program was stopped since then.
	Paused(ns int64) time.Duration
}

// PlaceKey finds, in a ctx and in those made from it, where its task runs, as long as it does: what
// has a Home.
type PlaceKey struct{}

// liveContext is the part of a ctx that somebody looks at.
type liveContext struct {
	mu    sync.Mutex
	done  chan struct{}
	err   error
	timer *time.Timer
	after []*afterFunc
}

type afterFunc struct{ f func() }

// Deadline implements context.Context.
func (c *Context) Deadline() (time.Time, bool) {
	d := c.deadline()
	if d == 0 {
		return time.Time{}, false
	}
	return c.set.Common.Clock.Time(d), true
}

// deadline is the earlier one of the call's and of the task's, on the clock; 0: none. The task's moves
// by the time for which the program was stopped, the call's is the program's own.
func (c *Context) deadline() int64 {
	call := c.set.Common.Deadline
	if c.set.deadlines == nil {
		return call
	}
	task := (*c.set.deadlines)[c.at()]
	if task == 0 || call != 0 && call <= task {
		return call
	}
	task += int64(c.set.Common.Clock.Paused(task - int64(c.set.Common.Timeout)))
	if call != 0 && call < task {
		return call
	}
	return task
}

// Done implements context.Context.
func (c *Context) Done() <-chan struct{} { return c.look().done }

// Err implements context.Context.
func (c *Context) Err() error {
	l := c.look()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && c.late() {
		l.end(context.DeadlineExceeded)
	}
	return l.err
}

// Value implements context.Context.
func (c *Context) Value(key any) any {
	r := c.set.Common
	switch key {
	case PlaceKey{}:
		if r.Place == nil || c.set.over(c.at()) {
			return nil
		}
		return r.Place
	case r.Program.TaskKey():
		index := c.set.Index + c.at()
		if r.Singles {
			index = 0
		}
		return r.Program.Task(r.Func, index, r.Attempt, r.Worker)
	case PropagatedKey{}:
		if r.Propagated != nil {
			return r.Propagated
		}
	}
	return c.set.inherited(key)
}

// AfterFunc lets package context derive from this ctx without a goroutine.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	l := c.look()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		go f()
		return func() bool { return false }
	}
	a := &afterFunc{f}
	l.after = append(l.after, a)
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, other := range l.after {
			if other == a {
				l.after = append(l.after[:i], l.after[i+1:]...)
				return true
			}
		}
		return false
	}
}

// late says whether the deadline has passed.
func (c *Context) late() bool {
	d := c.deadline()
	return d != 0 && c.set.Common.Clock.Now() >= d
}

// look makes the ctx live. Either it sees that the call is over, or the executor,
// which looks after each call whether its ctx is live, sees that it is.
func (c *Context) look() *liveContext {
	at := c.at()
	if l := c.set.live(at); l != nil {
		return l
	}
	l := &liveContext{done: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if first := c.set.makeLive(at, l); first != l {
		return first
	}
	if c.set.over(at) {
		l.end(context.Canceled)
	} else if d := c.deadline(); d != 0 {
		l.timer = time.AfterFunc(time.Duration(d-c.set.Common.Clock.Now()), func() { c.timeUp(l) })
	}
	return l
}

// timeUp ends the ctx at its deadline, unless that has moved.
func (c *Context) timeUp(l *liveContext) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left := c.deadline() - c.set.Common.Clock.Now(); left > 0 && l.err == nil {
		l.timer.Reset(time.Duration(left))
		return
	}
	l.end(context.DeadlineExceeded)
}

// cancel ends the ctx, unless it has ended.
func (c *Context) cancel() {
	at := c.at()
	l := c.set.live(at)
	if l == nil {
		fresh := &liveContext{done: make(chan struct{})}
		fresh.end(context.Canceled)
		if l = c.set.makeLive(at, fresh); l == fresh {
			return
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(context.Canceled)
}

// end ends a live ctx. It is called with the lock held.
func (l *liveContext) end(err error) {
	if l.err != nil {
		return
	}
	l.err = err
	close(l.done)
	if l.timer != nil {
		l.timer.Stop()
	}
	for _, a := range l.after {
		go a.f()
	}
	l.after = nil
}
