package thread

import (
	"context"
	"errors"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewQueue makes a queue between goroutines that holds so many items at most; mp.Unbounded,
// or less, is no bound but memory. It is Python's queue.Queue, and has all that an mp.Queue
// between processes has; the error is always nil.
//
// Items are not copied: a pointer that is put is the same pointer when it is got. Who waits
// is served in the order of coming. The queue keeps nothing of an item that was got, and
// when many items have gone their memory does, too. A Put or Get that need not wait takes some ten
// nanoseconds. The queue belongs to this process: an input that holds it cannot be sent to
// another one. In a bubble of testing/synctest who waits is durably blocked; goroutines
// outside of it must not use the queue meanwhile, as with channels.
func NewQueue[T any](capacity int) (*mp.Queue[T], error) {
	return carry(capacity, newLine[T](false)), nil
}

// NewLIFOQueue is NewQueue of which Get takes the item that was put last. It is Python's
// queue.LifoQueue.
func NewLIFOQueue[T any](capacity int) (*mp.Queue[T], error) {
	return carry(capacity, newLine[T](true)), nil
}

// NewPriorityQueue is NewQueue of which Get takes the least item; of equal ones, which
// Python's queue.PriorityQueue mixes up, the one that was put first. Put and Get call less
// some times for each doubling of the number of items.
//
// less says whether a comes before b. The queue waits for it: it must not block, nor use the
// queue, which would wait for itself. What it compares must not change while it is in the queue. A
// less that panics does so in the Put or Get that called it, which has no effect then.
//
// The error says that less is nil.
func NewPriorityQueue[T any](capacity int, less func(a, b T) bool) (*mp.Queue[T], error) {
	if less == nil {
		return nil, errors.New("mp: NewPriorityQueue: less is nil: it must say which of two items comes first")
	}
	return carry(capacity, &heap[T]{less: less}), nil
}

func carry[T any](capacity int, store store[T]) *mp.Queue[T] {
	line, _ := store.(*line[T])
	return mp.CarryQueue[T](key.Key{}, &queue[T]{store: store, line: line, capacity: max(capacity, 0)})
}

var errQueueClosed, errQueueNotGot = mp.QueueErrors(key.Key{})

// store is an order of items. Only push and pop may panic, because less does, and have no effect
// then.
type store[T any] interface {
	push(v T)
	pop() T // not of an empty one
	len() int
	clear()
}

// queue holds items in memory of this process.
//
// Who waits is in a list, and is off it when somebody else has done what it waits for:
// putters give their item to the first getter, getters let in the item of the first putter. So
// a getter waits only while there are no items, and a putter only while there is no room.
type queue[T any] struct {
	mu       briefLock
	store    store[T]
	line     *line[T] // the store, if it is one
	capacity int      // 0: no bound
	got      int      // items that were got, and not said to be done
	closed   bool
	getters  waiters[T]
	putters  waiters[T]
	spares   spares[T]
	idle     gate // opens when nothing is left to do
	watchers map[*func()]struct{}
}

func (q *queue[T]) Put(ctx context.Context, v T) error {
	q.mu.Lock()
	if l := q.line; l != nil && !q.closed && q.getters.first == nil && len(q.watchers) == 0 && !q.full() {
		l.push(v) // what there mostly is to do, and no more
		q.mu.Unlock()
		return nil
	}
	for {
		w, other, err := q.put(v, true)
		other.wake()
		if w == nil {
			return err
		}
		if _, err = q.await(ctx, w, &q.putters); err != errAgain {
			return err
		}
		q.mu.Lock()
	}
}

func (q *queue[T]) TryPut(v T) error {
	q.mu.Lock()
	_, other, err := q.put(v, false)
	other.wake()
	return err
}

// put puts an item, or has it wait as w. It says who else is to be woken. The lock is held, and
// given up.
func (q *queue[T]) put(v T, wait bool) (w, other *waiter[T], err error) {
	defer q.mu.Unlock()
	if q.closed {
		return nil, nil, errQueueClosed
	}
	if g := q.getters.first; g != nil {
		q.getters.remove(g)
		q.got++
		g.v = v
		return nil, g, nil
	}
	if q.full() {
		if !wait {
			return nil, nil, mp.ErrFull
		}
		w = q.spares.take()
		w.v = v
		q.putters.add(w)
		return w, nil, nil
	}
	q.store.push(v)
	if len(q.watchers) > 0 {
		q.notify()
	}
	return nil, nil, nil
}

func (q *queue[T]) Get(ctx context.Context) (T, error) {
	q.mu.Lock()
	if l := q.line; l != nil && l.n > 0 && q.putters.first == nil {
		v := l.pop()
		q.got++
		q.mu.Unlock()
		return v, nil
	}
	v, w, other, err := q.get(true)
	other.wake()
	if w == nil {
		return v, err
	}
	return q.await(ctx, w, &q.getters)
}

func (q *queue[T]) TryGet() (T, error) {
	q.mu.Lock()
	v, _, other, err := q.get(false)
	other.wake()
	return v, err
}

// get takes an item, or waits for one as w. It says who else is to be woken. The lock is held,
// and given up.
func (q *queue[T]) get(wait bool) (v T, w, other *waiter[T], err error) {
	defer q.mu.Unlock()
	if q.store.len() == 0 {
		switch {
		case q.closed:
			return v, nil, nil, errQueueClosed
		case !wait:
			return v, nil, nil, mp.ErrEmpty
		}
		w = q.spares.take()
		q.getters.add(w)
		return v, w, nil, nil
	}
	v = q.store.pop()
	q.got++
	return v, nil, q.admit(), nil
}

// admit lets in the item of the first Put that waits, and returns it to be woken. If less panics,
// or ends the goroutine, it will do so again in that Put, where its caller can see it; the
// room goes to the next one then.
func (q *queue[T]) admit() *waiter[T] {
	w := q.putters.first
	if w == nil || q.full() {
		return nil
	}
	q.putters.remove(w)
	in := false
	defer func() {
		if !in {
			recover()
			w.err = errAgain
			w.wake()
			q.admit().wake()
		}
	}()
	q.store.push(w.v)
	in = true
	return w
}

func (q *queue[T]) full() bool { return q.capacity > 0 && q.store.len() >= q.capacity }

func (q *queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.store.len()
}

func (q *queue[T]) Cap() int { return q.capacity }

func (q *queue[T]) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full()
}

func (q *queue[T]) Closed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *queue[T]) Unfinished() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.got + q.store.len()
}

func (q *queue[T]) TaskDone() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.got == 0 {
		return errQueueNotGot
	}
	q.got--
	q.freeJoins()
	return nil
}

func (q *queue[T]) Join(ctx context.Context) error {
	q.mu.Lock()
	if q.done() {
		q.mu.Unlock()
		return nil
	}
	if err := ctx.Err(); err != nil {
		q.mu.Unlock()
		return err
	}
	way := q.idle.enter()
	q.mu.Unlock()
	return q.idle.wait(ctx, &q.mu, way)
}

// done says whether nothing is left to do.
func (q *queue[T]) done() bool { return q.got == 0 && q.store.len() == 0 }

// freeJoins ends the Joins if nothing is left to do.
func (q *queue[T]) freeJoins() {
	if q.done() {
		q.idle.open()
	}
}

func (q *queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.close()
}

func (q *queue[T]) CloseNow() (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.close()
	dropped = q.store.len()
	q.store.clear()
	q.freeJoins()
	return dropped
}

func (q *queue[T]) close() {
	q.closed = true
	q.end(&q.putters)
	q.end(&q.getters)
	q.notify()
}

// end ends all waits of a list.
func (q *queue[T]) end(list *waiters[T]) {
	for w := list.first; w != nil; w = list.first {
		list.remove(w)
		w.err = errQueueClosed
		w.wake()
	}
}

// Readable says whether there is an item, or there will be none any more.
func (q *queue[T]) Readable() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed || q.store.len() > 0
}

// Watch has notify called when the queue may have become readable. It must not block, nor
// use the queue.
func (q *queue[T]) Watch(notify func()) (stop func()) {
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

func (q *queue[T]) notify() {
	for w := range q.watchers {
		(*w)()
	}
}
