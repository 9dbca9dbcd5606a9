package thread

import (
	"errors"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewQueue makes a queue for goroutines that holds at most capacity items, as Python's queue.Queue. With
// mp.Unbounded (0), or less, only memory bounds it. It has all methods of an mp.Queue between processes. The
// error is always nil.
//
// Items are not copied: a pointer that is put is the same pointer when it is got. Waiters are served in the
// order in which they came. The queue drops its reference to an item that was got, and gives memory back after
// many items have gone. A Put or Get that need not wait takes some ten nanoseconds.
//
// The queue belongs to this process: an input that holds it cannot be sent to another one. In a bubble of
// testing/synctest a waiter is durably blocked; as with channels, goroutines outside of the bubble must not use
// the queue meanwhile.
func NewQueue[T any](capacity int) (*mp.Queue[T], error) {
	return carry(inproc.NewQueue[T](capacity)), nil
}

// NewLIFOQueue is NewQueue with the last item first: Get takes the item that was put last. It is Python's
// queue.LifoQueue.
func NewLIFOQueue[T any](capacity int) (*mp.Queue[T], error) {
	return carry(inproc.NewLIFOQueue[T](capacity)), nil
}

// NewPriorityQueue is NewQueue ordered by less: Get takes the least item, and of equal items the one that was
// put first. Python's queue.PriorityQueue keeps no order among equal items. The number of calls of less in a Put
// or Get grows with the logarithm of the number of items.
//
// less reports whether a comes before b. It must not block or use the queue, because the queue waits for it.
// Items must not change in what less compares while they are in the queue. If less panics, so does the Put or
// Get that called it, which has no effect then.
//
// The error says that less is nil.
func NewPriorityQueue[T any](capacity int, less func(a, b T) bool) (*mp.Queue[T], error) {
	if less == nil {
		return nil, errors.New("mp: NewPriorityQueue: less is nil: it must say which of two items comes first")
	}
	return carry(inproc.NewPriorityQueue(capacity, less)), nil
}

func carry[T any](q *inproc.Queue[T]) *mp.Queue[T] { return mp.CarryQueue[T](key.Key{}, q) }
