package inproc

import (
	"context"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// NewQueue makes a queue of at most capacity items; 0 or less: no bound. Get takes the oldest
// item.
func NewQueue[T any](capacity int) *Queue[T] { return newQueue(capacity, newDeque[T](false)) }

// NewLIFOQueue makes a queue whose Get takes the newest item.
func NewLIFOQueue[T any](capacity int) *Queue[T] { return newQueue(capacity, newDeque[T](true)) }

// NewPriorityQueue makes a queue whose Get takes the least item, and of equal ones the oldest.
func NewPriorityQueue[T any](capacity int, less func(a, b T) bool) *Queue[T] {
	return newQueue(capacity, &heap[T]{less: less})
}

func newQueue[T any](capacity int, store store[T]) *Queue[T] {
	fifo, _ := store.(*deque[T])
	return &Queue[T]{store: store, deque: fifo, capacity: max(capacity, 0)}
}

// store holds the items in an order. Only push and pop may panic, because they call less; then
// they have had no effect.
type store[T any] interface {
	push(v T)
	pop() T // not of an empty one
	len() int
	clear()
}

// Queue holds items in memory of this process.
//
// A waiter is in a wait queue, and is removed when another goroutine has done what it waits for: a
// put gives its item to the getter that has waited longest, a get lets in the item of the putter
// that has waited longest. So a getter waits only while there are no items, and a putter only
// while there is no room.
type Queue[T any] struct {
	processLocal
	mu       spinMutex
	store    store[T]
	deque    *deque[T] // the store, if it is one
	capacity int       // 0: no bound
	got      int       // items that were got, and not said to be done
	closed   bool
	getters  waitQueue[transfer[T]]
	putters  waitQueue[transfer[T]]
	idle     broadcast // notified when every item is done
	watchers map[*func()]struct{}
}

// Put puts an item. It waits for room until ctx ends.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	q.mu.Lock()
	if l := q.deque; l != nil && !q.closed && q.getters.first() == nil && len(q.watchers) == 0 && !q.full() {
		l.push(v) // what there mostly is to do, and no more
		q.mu.Unlock()
		return nil
	}
	for {
		w, other, err := q.put(v, true)
		other.signal()
		if w == nil {
			return err
		}
		if _, err = q.await(ctx, w, &q.putters); err != errAgain {
			return err
		}
		q.mu.Lock()
	}
}

// TryPut is Put that does not wait: carrier.ErrFull.
func (q *Queue[T]) TryPut(v T) error {
	q.mu.Lock()
	_, other, err := q.put(v, false)
	other.signal()
	return err
}

// put puts an item, or makes it wait as w. other is a waiter that the caller must wake. The lock
// is held, and put releases it.
func (q *Queue[T]) put(v T, wait bool) (w, other *waiter[transfer[T]], err error) {
	defer q.mu.Unlock()
	if q.closed {
		return nil, nil, carrier.ErrQueueClosed
	}
	if g := q.getters.pop(); g != nil {
		q.got++
		g.value.v = v
		return nil, g, nil
	}
	if q.full() {
		if !wait {
			return nil, nil, carrier.ErrFull
		}
		w = q.putters.newWaiter(transfer[T]{v: v})
		q.putters.push(w)
		return w, nil, nil
	}
	q.store.push(v)
	if len(q.watchers) > 0 {
		q.notify()
	}
	return nil, nil, nil
}

// Get takes an item. It waits for one until ctx ends.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	q.mu.Lock()
	if l := q.deque; l != nil && l.n > 0 && q.putters.first() == nil {
		v := l.pop()
		q.got++
		q.mu.Unlock()
		return v, nil
	}
	v, w, other, err := q.get(true)
	other.signal()
	if w == nil {
		return v, err
	}
	return q.await(ctx, w, &q.getters)
}

// TryGet is Get that does not wait: carrier.ErrEmpty.
func (q *Queue[T]) TryGet() (T, error) {
	q.mu.Lock()
	v, _, other, err := q.get(false)
	other.signal()
	return v, err
}

// get takes an item, or waits for one as w. other is a waiter that the caller must wake. The lock
// is held, and get releases it.
func (q *Queue[T]) get(wait bool) (v T, w, other *waiter[transfer[T]], err error) {
	defer q.mu.Unlock()
	if q.store.len() == 0 {
		switch {
		case q.closed:
			return v, nil, nil, carrier.ErrQueueClosed
		case !wait:
			return v, nil, nil, carrier.ErrEmpty
		}
		w = q.getters.newWaiter(transfer[T]{})
		q.getters.push(w)
		return v, w, nil, nil
	}
	v = q.store.pop()
	q.got++
	return v, nil, q.admit(), nil
}

// admit lets in the item of the putter that has waited longest, and returns that waiter, which the
// caller must wake. If less panics, or ends the goroutine, it will do so again in the waiting Put,
// where its caller sees it; the room then goes to the next putter.
func (q *Queue[T]) admit() *waiter[transfer[T]] {
	w := q.putters.first()
	if w == nil || q.full() {
		return nil
	}
	q.putters.remove(w)
	in := false
	defer func() {
		if !in {
			recover()
			w.value.err = errAgain
			w.signal()
			q.admit().signal()
		}
	}()
	q.store.push(w.value.v)
	in = true
	return w
}

func (q *Queue[T]) full() bool { return q.capacity > 0 && q.store.len() >= q.capacity }

// Len is the number of items.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.store.len()
}

// Cap is the bound; 0: none.
func (q *Queue[T]) Cap() int { return q.capacity }

// Full reports whether the queue has as many items as its bound allows.
func (q *Queue[T]) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full()
}

// Closed reports whether the queue was closed.
func (q *Queue[T]) Closed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// Unfinished is the number of items that Join waits for.
func (q *Queue[T]) Unfinished() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.got + q.store.len()
}

// TaskDone says that an item that was got is done. It is carrier.ErrNotGot if all are.
func (q *Queue[T]) TaskDone() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.got == 0 {
		return carrier.ErrNotGot
	}
	q.got--
	q.wakeJoiners()
	return nil
}

// Join waits until every item that was put was got and is done, or was dropped.
func (q *Queue[T]) Join(ctx context.Context) error {
	q.mu.Lock()
	if q.done() {
		q.mu.Unlock()
		return nil
	}
	if err := ctx.Err(); err != nil {
		q.mu.Unlock()
		return err
	}
	ch := q.idle.join()
	q.mu.Unlock()
	return q.idle.wait(ctx, &q.mu, ch)
}

// done reports whether Join need not wait.
func (q *Queue[T]) done() bool { return q.got == 0 && q.store.len() == 0 }

// wakeJoiners ends the Joins if every item is done.
func (q *Queue[T]) wakeJoiners() {
	if q.done() {
		q.idle.notifyAll()
	}
}

// Shutdown closes the queue for puts. Its items can be got.
func (q *Queue[T]) Shutdown() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.close()
	return nil
}

// CloseNow is Shutdown that also drops the items, and returns how many those were.
func (q *Queue[T]) CloseNow() (dropped int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.close()
	dropped = q.store.len()
	q.store.clear()
	q.wakeJoiners()
	return dropped, nil
}

func (q *Queue[T]) close() {
	q.closed = true
	closed := func(t *transfer[T]) { t.err = carrier.ErrQueueClosed }
	q.putters.settleAll(allWaiters, closed)
	q.getters.settleAll(allWaiters, closed)
	q.notify()
}

// Readable reports whether a Get would not wait: there is an item, or the queue is closed.
func (q *Queue[T]) Readable() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed || q.store.len() > 0
}

// Watch calls notify whenever the queue may have become readable. notify must neither block nor
// use the queue.
func (q *Queue[T]) Watch(notify func()) (stop func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.watchers == nil {
		q.watchers = make(map[*func()]struct{})
	}
	w := &notify
	q.watchers[w] = struct{}{}
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.watchers, w)
	}
}

func (q *Queue[T]) notify() {
	for w := range q.watchers {
		(*w)()
	}
}
