package inproc

import (
	"context"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// NewQueue makes a queue that holds capacity items at most; 0 or less is no bound. Get takes the oldest item.
func NewQueue[T any](capacity int) *Queue[T] { return newQueue(capacity, newDeque[T](false)) }

// NewLIFOQueue makes a queue of which Get takes the newest item.
func NewLIFOQueue[T any](capacity int) *Queue[T] { return newQueue(capacity, newDeque[T](true)) }

// NewPriorityQueue makes a queue of which Get takes the least item, and of equal ones the oldest.
func NewPriorityQueue[T any](capacity int, less func(a, b T) bool) *Queue[T] {
	return newQueue(capacity, &heap[T]{less: less})
}

func newQueue[T any](capacity int, store store[T]) *Queue[T] {
	line, _ := store.(*deque[T])
	return &Queue[T]{store: store, deque: line, capacity: max(capacity, 0)}
}

// store is an order of items. Only push and pop may panic, because less does, and have no effect
// then.
type store[T any] interface {
	push(v T)
	pop() T // not of an empty one
	len() int
	clear()
}

// Queue holds items in memory of this process.
//
// Who waits is in a list, and is off it when somebody else has done what it waits for:
// putters give their item to the first getter, getters let in the item of the first putter. So
// a getter waits only while there are no items, and a putter only while there is no room.
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
	idle     broadcast // opens when nothing is left to do
	watchers map[*func()]struct{}
}

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

func (q *Queue[T]) TryPut(v T) error {
	q.mu.Lock()
	_, other, err := q.put(v, false)
	other.signal()
	return err
}

// put puts an item, or has it wait as w. It says who else is to be woken. The lock is held, and
// given up.
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

func (q *Queue[T]) TryGet() (T, error) {
	q.mu.Lock()
	v, _, other, err := q.get(false)
	other.signal()
	return v, err
}

// get takes an item, or waits for one as w. It says who else is to be woken. The lock is held,
// and given up.
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

// admit lets in the item of the first Put that waits, and returns it to be woken. If less panics,
// or ends the goroutine, it will do so again in that Put, where its caller can see it; the
// room goes to the next one then.
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

func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.store.len()
}

func (q *Queue[T]) Cap() int { return q.capacity }

func (q *Queue[T]) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full()
}

func (q *Queue[T]) Closed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *Queue[T]) Unfinished() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.got + q.store.len()
}

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
	way := q.idle.join()
	q.mu.Unlock()
	return q.idle.wait(ctx, &q.mu, way)
}

// done says whether nothing is left to do.
func (q *Queue[T]) done() bool { return q.got == 0 && q.store.len() == 0 }

// freeJoins ends the Joins if nothing is left to do.
func (q *Queue[T]) wakeJoiners() {
	if q.done() {
		q.idle.notifyAll()
	}
}

// Shutdown lets nothing more in.
func (q *Queue[T]) Shutdown() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.close()
	return nil
}

// CloseNow is Shutdown that drops what is in the queue, and says how many items that was.
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

// Readable says whether there is an item, or there will be none any more.
func (q *Queue[T]) Readable() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed || q.store.len() > 0
}

// Watch has notify called when the queue may have become readable. It must not block, nor
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
