package talk

import (
	"context"
	"sync"
	"time"
)

// taskContext is the ctx of one call. Most functions never look at theirs, so it is
// one word until somebody asks for its Done; which call it is the ctx of, its place
// in the set says.
type taskContext struct{ set *contexts }

// at is the ctx's place in its set.
func (c *taskContext) at() int {
	for i := range c.set.of {
		if c == &c.set.of[i] {
			return i
		}
	}
	panic("unreachable: a ctx that is not in its set")
}

// running is what the contexts of a span have in common.
type running struct {
	program  Program
	fn       string
	worker   int
	attempt  int
	deadline int64         // of the call, on the shared clock; 0: none
	timeout  time.Duration // of each task; 0: none
	singles  bool          // each is the first of its job
}

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
func (c *taskContext) Deadline() (time.Time, bool) {
	d := c.deadline()
	if d == 0 {
		return time.Time{}, false
	}
	return at(d), true
}

// deadline is the earlier one of the call's and of the task's, on the shared clock.
func (c *taskContext) deadline() int64 {
	if c.set.deadlines != nil {
		return c.set.deadlines[c.at()]
	}
	return c.set.run.deadline
}

// Done implements context.Context.
func (c *taskContext) Done() <-chan struct{} { return c.look().done }

// Err implements context.Context.
func (c *taskContext) Err() error {
	l := c.look()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && c.late() {
		l.end(context.DeadlineExceeded)
	}
	return l.err
}

// Value implements context.Context.
func (c *taskContext) Value(key any) any {
	if r := c.set.run; key == r.program.TaskKey() {
		index := c.set.index + c.at()
		if r.singles {
			index = 0
		}
		return r.program.Task(r.fn, index, r.attempt, r.worker)
	}
	return nil
}

// AfterFunc lets package context derive from this ctx without a goroutine.
func (c *taskContext) AfterFunc(f func()) (stop func() bool) {
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
func (c *taskContext) late() bool {
	d := c.deadline()
	return d != 0 && now() >= d
}

// look makes the ctx live. Either it sees that the call is over, or the executor,
// which looks after each call whether its ctx is live, sees that it is.
func (c *taskContext) look() *liveContext {
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
		l.timer = time.AfterFunc(time.Duration(d-now()), func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.end(context.DeadlineExceeded)
		})
	}
	return l
}

// cancel ends the ctx, unless it has ended.
func (c *taskContext) cancel() {
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
