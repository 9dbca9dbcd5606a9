package thread

import (
	"context"
	"slices"
	"sync"
	"weak"

	"github.com/gomultiprocessing/mp/internal/task"
)

// Local is a variable with one value for each thread, as threading.local: a thread does not see what another one
// sets. The ctx selects the thread, the one that Current finds. MainThread, which stands for everything outside
// of threads, has a value as well.
//
// Each worker of a pool of goroutines has a value, too. PoolConfig.Init sets it, or the first task that gets it
// makes it, and later tasks on that worker find it. So a Local suits what a task must not share and is expensive
// to make, such as a connection. The value goes with the worker.
//
// A Local is safe for concurrent use. Goroutines that share the ctx of a thread share its value. The value goes
// with the thread, or with the Local. An operation costs some ten nanoseconds and what ctx.Value does.
type Local[T any] struct {
	init func() T

	mu     sync.Mutex
	values map[*Thread]*cell[T]
}

// cell is the value of one thread.
type cell[T any] struct {
	value  T
	set    bool
	making chan struct{} // closed when init has returned; nil: it is not running
}

// NewLocal makes a Local. The first Get of a thread calls init to make its value, on the goroutine that calls
// Get. If init is nil, values start as T's zero value.
func NewLocal[T any](init func() T) *Local[T] { return &Local[T]{init: init} }

// Get returns the value of ctx's thread. The first Get of a thread calls init, once; other calls for that thread
// wait for it. If init panics or ends the goroutine, that happens to its caller, and the next Get calls init
// again. init must not get the value that it makes. Once the thread has ended, nothing is kept: each Get calls
// init again.
func (l *Local[T]) Get(ctx context.Context) T {
	t := whose(ctx)
	for {
		l.mu.Lock()
		c, kept := l.cell(t)
		switch {
		case c.set:
			v := c.value
			l.mu.Unlock()
			return v
		case l.init == nil || !kept:
			l.mu.Unlock()
			var v T
			if l.init != nil {
				v = l.init()
			}
			return v
		case c.making == nil:
			c.making = make(chan struct{})
			l.mu.Unlock()
			return l.make(c)
		}
		making := c.making
		l.mu.Unlock()
		<-making
	}
}

// make calls init for a cell, without the lock: other threads go on.
func (l *Local[T]) make(c *cell[T]) T {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		close(c.making)
		c.making = nil
	}()
	v := l.init()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.set { // Set was not faster
		c.value, c.set = v, true
	}
	return c.value
}

// Set sets the value of ctx's thread. It has no effect once the thread has ended.
func (l *Local[T]) Set(ctx context.Context, v T) {
	t := whose(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	c, _ := l.cell(t)
	c.value, c.set = v, true
}

// cell finds or makes the cell of a thread; kept says that the next call finds the same.
func (l *Local[T]) cell(t *Thread) (c *cell[T], kept bool) {
	if c, ok := l.values[t]; ok {
		return c, true
	}
	c = new(cell[T])
	if t != mainThread && !t.has(localRef[T]{weak.Make(l)}) {
		return c, false
	}
	if l.values == nil {
		l.values = make(map[*Thread]*cell[T])
	}
	l.values[t] = c
	return c, true
}

// localRef does not keep its Local, nor the value.
type localRef[T any] struct{ local weak.Pointer[Local[T]] }

func (r localRef[T]) garbage() bool { return r.local.Value() == nil }

func (r localRef[T]) forget(t *Thread) {
	if l := r.local.Value(); l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.values, t)
	}
}

// whose is the thread whose value a ctx means; for a pool's task one that stands for its worker.
func whose(ctx context.Context) *Thread {
	t := Current(ctx)
	if t != mainThread {
		return t
	}
	if place, ok := ctx.Value(task.PlaceKey{}).(interface{ Home() *task.Place }); ok {
		return place.Home().Keep(func() task.Kept { return &stand{} }).(*stand).thread()
	}
	return t
}

// stand stands for a worker.
type stand struct{ t Thread }

func (s *stand) thread() *Thread { return &s.t }

// End implements task.Kept: the worker has gone.
func (s *stand) End() { s.t.forgetLocals() }

// forgetLocals has the thread have no values any more.
func (t *Thread) forgetLocals() {
	t.mu.Lock()
	t.gone = true
	locals := t.locals
	t.locals = nil
	t.mu.Unlock()
	for _, l := range locals {
		l.forget(t)
	}
}

// has notes that l has a value of the thread, which is to go with it; false: it has gone.
func (t *Thread) has(l localOf) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone {
		return false
	}
	if len(t.locals) == cap(t.locals) { // before it grows
		t.locals = slices.DeleteFunc(t.locals, localOf.garbage)
		t.locals = slices.Grow(t.locals, len(t.locals)+1)
	}
	t.locals = append(t.locals, l)
	return true
}
