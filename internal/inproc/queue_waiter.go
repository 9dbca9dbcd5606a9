package inproc

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// waiter is a Put or Get that waits.
type queueWaiter[T any] struct {
	v          T             // to put, or that was got
	err        error         // how the wait ended
	woken      chan struct{} // gets a token after v and err
	listed     bool
	bubbled    bool // it was made in a bubble of testing/synctest, and its channel is of no use elsewhere
	prev, next *queueWaiter[T]
}

// errAgain is the end of a wait after which Put has to try anew.
var errAgain = errors.New("again")

// waiters are those that wait for the same, in the order of coming.
type queueWaiters[T any] struct{ first, last *queueWaiter[T] }

func (ws *queueWaiters[T]) add(w *queueWaiter[T]) {
	w.listed, w.prev = true, ws.last
	if ws.last != nil {
		ws.last.next = w
	} else {
		ws.first = w
	}
	ws.last = w
}

func (ws *queueWaiters[T]) remove(w *queueWaiter[T]) {
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
	w.listed, w.prev, w.next = false, nil, nil
}

// wake has a wait end that is settled: its waiter is off its list. Nil: there is none. It is
// better called without the lock, which it would hold for long.
func (w *queueWaiter[T]) wake() {
	if w != nil {
		w.woken <- struct{}{}
	}
}

// await waits until w is woken or ctx ends. What was settled by then counts: the item is got, or
// put.
func (q *Queue[T]) await(ctx context.Context, w *queueWaiter[T], list *queueWaiters[T]) (v T, err error) {
	if done := ctx.Done(); done == nil {
		<-w.woken // which is quicker than select
	} else {
		select {
		case <-w.woken:
		case <-done:
			if q.dequeue(w, list) {
				q.pool.put(w)
				return v, ctx.Err()
			}
			<-w.woken
		}
	}
	v, err = w.v, w.err
	q.pool.put(w)
	return v, err
}

// leave takes a waiter off its list, and says whether it was on it.
func (q *Queue[T]) dequeue(w *queueWaiter[T], list *queueWaiters[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !w.listed {
		return false
	}
	list.remove(w)
	return true
}

// spares are waiters to be used again, since to make one costs more than to wait.
type waiterPool[T any] [8]atomic.Pointer[queueWaiter[T]]

func (s *waiterPool[T]) put(w *queueWaiter[T]) {
	if w.bubbled {
		return
	}
	var none T
	w.v, w.err = none, nil
	for i := range s {
		if s[i].Load() == nil && s[i].CompareAndSwap(nil, w) {
			return
		}
	}
}

func (s *waiterPool[T]) take() *queueWaiter[T] {
	if !outside(time.Now()) {
		return &queueWaiter[T]{woken: make(chan struct{}, 1), bubbled: true}
	}
	for i := range s {
		if s[i].Load() != nil {
			if w := s[i].Swap(nil); w != nil {
				return w
			}
		}
	}
	return &queueWaiter[T]{woken: make(chan struct{}, 1)}
}
