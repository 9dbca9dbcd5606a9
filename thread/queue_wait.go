package thread

import (
	"context"
	"errors"
)

// waiter is a Put or Get that waits. It is made for one wait: its channel may belong to a bubble
// of testing/synctest, in which it cannot be used for another.
type waiter[T any] struct {
	v          T             // to put, or that was got
	err        error         // how the wait ended
	settled    chan struct{} // closed when it is off its list, with v and err set
	on         bool          // the list
	prev, next *waiter[T]
}

// errAgain is the end of a wait after which Put has to try anew.
var errAgain = errors.New("again")

// waiters are those that wait for the same, in the order of coming.
type waiters[T any] struct{ first, last *waiter[T] }

func (ws *waiters[T]) add(v T) *waiter[T] {
	w := &waiter[T]{v: v, settled: make(chan struct{}), on: true, prev: ws.last}
	if ws.last != nil {
		ws.last.next = w
	} else {
		ws.first = w
	}
	ws.last = w
	return w
}

func (ws *waiters[T]) remove(w *waiter[T]) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		ws.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		ws.last = w.prev
	}
	w.on, w.prev, w.next = false, nil, nil
}

// settle ends a wait.
func (ws *waiters[T]) settle(w *waiter[T], err error) {
	ws.remove(w)
	w.err = err
	close(w.settled)
}

// await waits until w is settled or ctx ends. What was settled by then counts.
func (q *queue[T]) await(ctx context.Context, w *waiter[T], list *waiters[T]) error {
	select {
	case <-w.settled:
		return w.err
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.on {
		list.remove(w)
		return ctx.Err()
	}
	return w.err
}
