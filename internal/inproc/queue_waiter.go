package inproc

import (
	"context"
	"errors"
)

// transfer is what a waiting Put or Get passes on: the item, or why there was none.
type transfer[T any] struct {
	v   T
	err error
}

// errAgain is the end of a wait after which Put has to try again.
var errAgain = errors.New("again")

// await waits until the transfer of w is settled, which removes w from its queue, or until ctx ends
// before that. The lock is not held. What settles a transfer may signal after it has released the
// lock.
func (q *Queue[T]) await(ctx context.Context, w *waiter[transfer[T]], of *waitQueue[transfer[T]]) (v T, err error) {
	if err := w.wait(ctx); err != nil {
		if q.dequeue(w, of) {
			of.recycle(w)
			return v, err
		}
		<-w.wakeup
	}
	v, err = w.value.v, w.value.err
	of.recycle(w)
	return v, err
}

// dequeue removes a waiter from its queue, and reports whether it was there.
func (q *Queue[T]) dequeue(w *waiter[transfer[T]], of *waitQueue[transfer[T]]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return of.remove(w)
}
