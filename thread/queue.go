package thread

import (
	"errors"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/inproc"
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
	return carry(inproc.NewQueue[T](capacity)), nil
}

// NewLIFOQueue is NewQueue of which Get takes the item that was put last. It is Python's
// queue.LifoQueue.
func NewLIFOQueue[T any](capacity int) (*mp.Queue[T], error) {
	return carry(inproc.NewLIFOQueue[T](capacity)), nil
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
	return carry(inproc.NewPriorityQueue(capacity, less)), nil
}

func carry[T any](q *inproc.Queue[T]) *mp.Queue[T] { return mp.CarryQueue[T](key.Key{}, q) }
