package thread

import "time"

// patience is how long one waits before nobody else is let past.
const patience = time.Millisecond

// sleepers are goroutines that wait, in the order in which they came. The mutex of what
// they wait for guards them.
type sleepers[V any] struct {
	first, last *sleeper[V]
}

// sleeper is a goroutine that waits. Its channel is its own and new, so that an object can
// be waited for inside a testing/synctest bubble and outside of it.
type sleeper[V any] struct {
	wake       chan struct{} // has room for one wake-up
	since      time.Time
	has        V // what it waits with, or what it was handed
	queued     bool
	prev, next *sleeper[V]
}

func newSleeper[V any](has V) *sleeper[V] {
	return &sleeper[V]{wake: make(chan struct{}, 1), since: time.Now(), has: has}
}

// patient says that it has waited so long that nobody else is to be let past.
func (s *sleeper[V]) patient() bool { return time.Since(s.since) >= patience }

// call wakes it, unless somebody has called it and it has not woken yet.
func (s *sleeper[V]) call() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (l *sleepers[V]) push(s *sleeper[V]) {
	s.queued, s.prev = true, l.last
	if l.last != nil {
		l.last.next = s
	} else {
		l.first = s
	}
	l.last = s
}

// remove takes one out; false if it is out already.
func (l *sleepers[V]) remove(s *sleeper[V]) bool {
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
func (l *sleepers[V]) pop() *sleeper[V] {
	s := l.first
	if s != nil {
		l.remove(s)
	}
	return s
}
