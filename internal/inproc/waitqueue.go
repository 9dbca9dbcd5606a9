package inproc

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/bubble"
	"github.com/gomultiprocessing/mp/internal/list"
)

// handoffAfter is how long a goroutine waits before what it waits for is handed to it, past those
// that come just then.
const handoffAfter = time.Millisecond

// waitQueue has goroutines that wait for one thing, in order of arrival. The mutex of the object
// guards it. A waiter has a value of type V: what it waits with, or what it is handed.
type waitQueue[V any] struct {
	waiting list.List[waiter[V]]
	spares  [4]atomic.Pointer[waiter[V]] // for reuse: making a waiter costs more than waiting
}

// waiter is a goroutine that waits. A waiter that was made inside a bubble of testing/synctest is
// not reused: its channel belongs to the bubble, and the object may outlive it.
type waiter[V any] struct {
	wakeup  chan struct{} // has room for one signal
	since   time.Time
	bubbled bool
	value   V
	node    list.Node[waiter[V]]
}

// newWaiter returns a waiter that is in no queue yet. The caller need not hold the mutex.
func (q *waitQueue[V]) newWaiter(v V) *waiter[V] {
	now := time.Now()
	bubbled := bubble.HasTime(now)
	if !bubbled {
		for i := range q.spares {
			if q.spares[i].Load() == nil {
				continue
			}
			if w := q.spares[i].Swap(nil); w != nil {
				w.since, w.value = now, v
				return w
			}
		}
	}
	return &waiter[V]{wakeup: make(chan struct{}, 1), since: now, bubbled: bubbled, value: v}
}

// recycle keeps a waiter that is in no queue for reuse. No signal may come any more.
func (q *waitQueue[V]) recycle(w *waiter[V]) {
	if w.bubbled {
		return
	}
	select {
	case <-w.wakeup: // the signal came when the wait had already ended
	default:
	}
	var zero V
	w.value = zero
	for i := range q.spares {
		if q.spares[i].Load() == nil && q.spares[i].CompareAndSwap(nil, w) {
			return
		}
	}
}

// wait returns nil after a signal, or the error of ctx.
func (w *waiter[V]) wait(ctx context.Context) error {
	done := ctx.Done()
	if done == nil {
		<-w.wakeup // faster than select
		return nil
	}
	select {
	case <-w.wakeup:
		return nil
	case <-done:
		return ctx.Err()
	}
}

// overdue reports whether the waiter has waited so long that nothing is let past it.
func (w *waiter[V]) overdue() bool { return time.Since(w.since) >= handoffAfter }

// signal wakes the waiter, if there is one. A second signal before it has woken has no effect.
func (w *waiter[V]) signal() {
	if w == nil {
		return
	}
	select {
	case w.wakeup <- struct{}{}:
	default:
	}
}

// first is the waiter that has waited longest; nil if none waits.
func (q *waitQueue[V]) first() *waiter[V] { return q.waiting.First() }

func (q *waitQueue[V]) push(w *waiter[V]) { q.waiting.PushBack(&w.node, w) }

// remove removes a waiter. It reports false if the waiter was not in the queue any more.
func (q *waitQueue[V]) remove(w *waiter[V]) bool { return q.waiting.Remove(&w.node) }

// pop removes the waiter that has waited longest; nil if none waits.
func (q *waitQueue[V]) pop() *waiter[V] {
	w := q.first()
	if w != nil {
		q.remove(w)
	}
	return w
}

// await waits until somebody else has settled what w waits for, which removes w from the queue, or
// until ctx ends before that. The mutex is not held. What settles a wait signals under the mutex.
func (q *waitQueue[V]) await(ctx context.Context, mu interface {
	Lock()
	Unlock()
}, w *waiter[V]) error {
	err := w.wait(ctx)
	if err == nil {
		return nil
	}
	mu.Lock()
	defer mu.Unlock()
	if q.remove(w) {
		return err
	}
	return nil
}

// wakeups says which waiters are woken.
type wakeups bool

const (
	allWaiters wakeups = false
	// outsideBubbles leaves out those inside bubbles of testing/synctest. The goroutine of the garbage
	// collector must not touch their channels. Testing/synctest reports a goroutine that waits for a
	// garbage end as blocked.
	outsideBubbles wakeups = true
)

func (only wakeups) includes(bubbled bool) bool { return !bool(only) || !bubbled }

// settleAll ends the waits of all waiters included, each after settle has changed its value.
func (q *waitQueue[V]) settleAll(which wakeups, settle func(*V)) {
	for w := q.first(); w != nil; {
		next := w.node.Next()
		if which.includes(w.bubbled) {
			settle(&w.value)
			q.remove(w)
			w.signal()
		}
		w = next
	}
}
