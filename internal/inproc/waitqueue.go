package inproc

import (
	"context"
	"sync/atomic"
	"time"
)

// patience is how long one waits before nobody else is let past.
const handoffAfter = time.Millisecond

// sleepers are goroutines that wait, in the order in which they came. The mutex of what
// they wait for guards them.
type waitQueue[V any] struct {
	first, last *waiter[V]
	spare       atomic.Pointer[waiter[V]] // to be used again: making one costs more than waiting
}

// sleeper is a goroutine that waits. Its channel belongs to the testing/synctest bubble in
// which it was made, if to one, and is not used again then: an object may outlive a bubble.
type waiter[V any] struct {
	wakeup     chan struct{} // has room for one wake-up
	since      time.Time
	value      V // what it waits with, or what it was handed
	queued     bool
	prev, next *waiter[V]
}

// sleeper is one that waits from now on. It is to be pushed.
func (l *waitQueue[V]) newWaiter(has V) *waiter[V] {
	now := time.Now()
	if outside(now) {
		if s := l.spare.Swap(nil); s != nil {
			s.since, s.value = now, has
			return s
		}
	}
	return &waiter[V]{wakeup: make(chan struct{}, 1), since: now, value: has}
}

// done is called when a sleeper is out, by who slept. It is not to be used after that.
func (l *waitQueue[V]) recycle(s *waiter[V]) {
	if !outside(s.since) {
		return
	}
	select {
	case <-s.wakeup: // of a call that came too late
	default:
	}
	var none V
	s.value = none
	l.spare.Store(s)
}

// rest waits until somebody calls, or until ctx ends.
func (s *waiter[V]) wait(ctx context.Context) error {
	done := ctx.Done()
	if done == nil {
		<-s.wakeup // which is quicker than select
		return nil
	}
	select {
	case <-s.wakeup:
		return nil
	case <-done:
		return ctx.Err()
	}
}

// patient says that it has waited so long that nobody else is to be let past.
func (s *waiter[V]) overdue() bool { return time.Since(s.since) >= handoffAfter }

// call wakes it, unless somebody has called it and it has not woken yet.
func (s *waiter[V]) signal() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}

func (l *waitQueue[V]) push(s *waiter[V]) {
	s.queued, s.prev = true, l.last
	if l.last != nil {
		l.last.next = s
	} else {
		l.first = s
	}
	l.last = s
}

// remove takes one out; false if it is out already.
func (l *waitQueue[V]) remove(s *waiter[V]) bool {
	if !s.queued {
		return false
	}
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		l.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		l.last = s.prev
	}
	s.queued, s.prev, s.next = false, nil, nil
	return true
}

// pop takes the first out, and nil when there is none.
func (l *waitQueue[V]) pop() *waiter[V] {
	s := l.first
	if s != nil {
		l.remove(s)
	}
	return s
}
