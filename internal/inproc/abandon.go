package inproc

import "github.com/gomultiprocessing/mp/internal/carrier"

// What a server does on behalf of a client that has died. Goroutines of this process do not die alone.

// Abandon is Release on behalf of an owner that has died: the next Grant of the lock is abandoned.
func (l *Lock) Abandon(token uint64) error {
	if token != 0 && l.releaseContended(token, abandoned) {
		return nil
	}
	return carrier.ErrNotOwner
}

// Abandon is TaskDone for n items that were got by a process that has died.
func (q *Queue[T]) Abandon(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.got -= min(n, q.got)
	q.wakeJoiners()
}

// CloseTaking is CloseNow that returns what was in the queue, in no particular order.
func (q *Queue[T]) CloseTaking() (items []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.close()
	switch s := q.store.(type) {
	case *deque[T]:
		for s.len() > 0 {
			items = append(items, s.pop())
		}
	case *heap[T]:
		for _, e := range s.entries { // not pop: less may panic
			items = append(items, e.v)
		}
	}
	q.store.clear()
	q.wakeJoiners()
	return items
}
