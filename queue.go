package mp

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// Queue is a queue of values for any number of producers and consumers, goroutines
// of any number of processes. It is Python's multiprocessing.Queue, JoinableQueue and
// SimpleQueue, and queue.Queue with its shutdown. Items are got in the order in which they were put, by one
// goroutine or by several one after the other.
//
// Put encodes the value and returns when the item is in the queue. From then on the item does not depend on
// the process that put it. So a process need not wait for a reader before it ends, and there is no feeder
// thread, no join_thread and no cancel_join_thread. A killed process takes only the items with it that
// it has got.
//
// It is shareable: a *Queue inside the input or output of a Func, or inside an item of
// a queue or pipe, itself included, is a handle of the same queue in the other process.
// It costs a descriptor in each process that has it, or three if T may hold something
// shareable (or an interface, which may hold anything), and memory for what is in it. It
// lives as long as a process has it; a process lets go when its handles are garbage.
//
// Its methods are safe for concurrent use. A waiting goroutine costs no thread.
//
// Package thread makes queues for goroutines, also by priority and last in, first out. They copy nothing and
// do not travel.
type Queue[T any] struct {
	_       [0]sync.Mutex // a Queue must not be copied
	carrier carrier.Queue[T]
	closed  atomic.Bool // this handle was detached
}

// NewQueue makes a queue that holds at most capacity items; with Unbounded (0), or less, only memory bounds
// it. Unlike a channel of capacity 0, it is never a rendezvous. NewQueue does not wait and costs some tens of
// microseconds.
//
// The error is ErrNoMain before Main; the system's when there are no descriptors;
// errors.ErrUnsupported elsewhere than on Linux. A T that cannot travel is an error of Put.
func NewQueue[T any](capacity int) (*Queue[T], error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	number, carries := carrier.ItemType[T]()
	c, err := shared.NewQueue(capacity, carries, number)
	if err != nil {
		return nil, err
	}
	return listed(&Queue[T]{carrier: carrier.EncodeQueue[T](c)}), nil
}

var errNoQueue = errors.New("mp: the queue is nil or was not made by NewQueue")

func (q *Queue[T]) made() bool { return q != nil && q.carrier != nil && !q.closed.Load() }

// Put waits until there is room for an item, and puts v. A queue without a bound always has room, whatever the
// size of the items. Items that hold something shareable are the exception: the kernel keeps some hundreds of
// them, and then Put waits for a Get. Put costs part of a microsecond and the time to encode and copy v, which
// may be changed when Put has returned.
//
// If v cannot travel, the error names the path in v, such as item.Jobs[3].Next, and v takes no place. The error
// is ErrClosed after Close. When ctx ends before there is room, nothing was put: by its deadline the error is
// both ErrFull, as Python's, and context.DeadlineExceeded, otherwise context.Canceled. If ctx had ended before
// the call, Put returns the same error at once and puts nothing, even if there is room.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	needCtx(ctx, "Queue.Put")
	if !q.made() {
		return q.Err()
	}
	if err := ctx.Err(); err != nil {
		return ended(err, errFullDeadline)
	}
	return ended(q.carrier.Put(ctx, v), errFullDeadline)
}

// TryPut is Put that does not wait: ErrFull when there is no room. Python's put_nowait. It is
// ErrFull, too, when a process is stopped in the middle of a Put for half a second.
func (q *Queue[T]) TryPut(v T) error {
	if !q.made() {
		return q.Err()
	}
	return q.carrier.TryPut(v)
}

// Get waits for an item and takes it, at one instant within the call: a process that is killed before it leaves
// the item to the others, one that is killed after it takes the item along. No process reads ahead. Get costs
// part of a microsecond and the time to copy and decode the item; larger items may share memory with their
// message.
//
// The error is ErrClosed when the queue is closed and empty. When ctx ends first, nothing was taken: by its
// deadline the error is both ErrEmpty, as Python's, and context.DeadlineExceeded, otherwise context.Canceled. If
// ctx had ended before the call, Get returns the same error at once and takes nothing, even if there is an item.
// An item that cannot be decoded, because its UnmarshalBinary fails, is taken, and Get returns an error. If this
// process has no room for an item's descriptors (ulimit -n), the item stays, and the error is syscall.EMFILE.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	needCtx(ctx, "Queue.Get")
	var none T
	if !q.made() {
		return none, q.Err()
	}
	if err := ctx.Err(); err != nil {
		return none, ended(err, errEmptyDeadline)
	}
	v, err := q.carrier.Get(ctx)
	if err != nil {
		return none, ended(err, errEmptyDeadline)
	}
	return v, nil
}

// TryGet is Get that does not wait: ErrEmpty when there is no item. Python's get_nowait. It
// is ErrEmpty, too, when a process is stopped in the middle of a Get for half a
// second.
func (q *Queue[T]) TryGet() (T, error) {
	var none T
	if !q.made() {
		return none, q.Err()
	}
	v, err := q.carrier.TryGet()
	if err != nil {
		return none, err
	}
	return v, nil
}

// All gets items until the queue is closed and empty, which ends the loop. Any other error of Get, such as
// ctx's, is yielded last.
func (q *Queue[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := q.Get(ctx)
			if errors.Is(err, carrier.ErrQueueClosed) || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Len returns the number of items in the queue, or 0 for a nil queue. It is exact at one instant within the
// call, as are Empty and Full, unlike Python's qsize: an item counts as soon as its Put has returned. It does
// not wait.
func (q *Queue[T]) Len() int {
	if !q.made() {
		return 0
	}
	return q.carrier.Len()
}

// Cap returns the capacity that the queue was made with; 0 means no bound.
func (q *Queue[T]) Cap() int {
	if !q.made() {
		return 0
	}
	return q.carrier.Cap()
}

// Empty reports whether Len is 0.
func (q *Queue[T]) Empty() bool { return q.Len() == 0 }

// Full reports whether a Put would wait for room. A queue without a bound is never full.
func (q *Queue[T]) Full() bool { return q.made() && q.carrier.Full() }

// Closed reports whether a process has closed the queue, by Close or CloseNow, as Python's Queue.is_shutdown.
// There may be items left to get. It does not wait. A nil queue is not closed.
func (q *Queue[T]) Closed() bool { return q.made() && q.carrier.Closed() }

// Unfinished returns how many items Join waits for: those in the queue, and those that were got and not marked
// by TaskDone. Items of a process that has died count as done. It is exact at one instant within the call, and 0
// if Join would not wait or the queue is nil. It is Python's Queue.unfinished_tasks. It does not wait. For a
// queue between processes it costs a system call for each process with unfinished items.
func (q *Queue[T]) Unfinished() int {
	if !q.made() {
		return 0
	}
	return q.carrier.Unfinished()
}

// TaskDone marks one item that this process got as done, for Join. It does not wait. The error is ErrNotOwner
// when all items that the process got are marked already, as Python's ValueError.
func (q *Queue[T]) TaskDone() error {
	if !q.made() {
		return q.Err()
	}
	return q.carrier.TaskDone()
}

// Join waits until the queue is empty and TaskDone was called for each item that was got. It works after Close
// too; items that CloseNow drops need no TaskDone.
//
// Unfinished items of a process that has died count as done. Join then returns ErrAbandoned with their number,
// counted over the life of the queue. Each process learns of such an item once: from all Joins that wait at that
// time, or else from its next one. When ctx ends first, the error is ctx's. Join checks the queue once before it
// checks ctx: if there is nothing to wait for it returns nil even if ctx has ended.
func (q *Queue[T]) Join(ctx context.Context) error {
	needCtx(ctx, "Queue.Join")
	if !q.made() {
		return q.Err()
	}
	return q.carrier.Join(ctx)
}

// Close ends the queue for producers: from now on Put returns ErrClosed, and so do Puts that wait. Get takes the
// items that are left and returns ErrClosed after them. It is queue.shutdown of Python 3.13. It does not wait;
// closing again does nothing. The error is nil for a queue of NewQueue.
func (q *Queue[T]) Close() error {
	if !q.made() {
		return q.Err()
	}
	return q.carrier.Shutdown()
}

// CloseNow is Close that also drops the items in the queue, and returns how many there were. It is
// queue.shutdown(immediate=True). It may follow Close.
func (q *Queue[T]) CloseNow() (dropped int, err error) {
	if !q.made() {
		return 0, q.Err()
	}
	return q.carrier.CloseNow()
}

// Err is nil, or why the queue cannot be used through this handle: it is ErrClosed after Detach, and ErrLost
// when what holds the queue is gone. It does not wait. A method without an error has answered zero then.
// That the queue is closed is no error: see Closed.
func (q *Queue[T]) Err() error {
	switch {
	case q == nil || q.carrier == nil:
		return errNoQueue
	case q.closed.Load():
		return errDetached
	}
	return q.carrier.Err()
}

// Detach lets go of this handle at once, with its descriptors if it was the last one of this process; the
// garbage collector does the same later. It is to a Queue what Close is to other shared objects: Close of a
// Queue closes the queue, for all. The queue and its items stay, for those that have other handles. Methods
// answer ErrClosed from now on, or zero, while calls that wait go on. Call TaskDone for what was got
// before: Join waits for it until this process ends.
//
// Detaching again does nothing. It does not wait, and the error is nil for a queue of NewQueue.
func (q *Queue[T]) Detach() error {
	if q == nil {
		return nil
	}
	return closeHandle(q.carrier, &q.closed)
}

func (q *Queue[T]) share(b *codec.Buffer) error {
	if !q.made() {
		return q.Err()
	}
	return q.carrier.Share(b)
}

func (q *Queue[T]) adopt(k carrier.Kind, r *codec.Reader) error {
	c, err := carrier.Open[carrier.ByteQueue](k, r)
	if err != nil {
		return err
	}
	if number, _ := carrier.ItemType[T](); c.Type() != number {
		c.Close()
		return errors.New("mp: a queue of another type")
	}
	q.carrier = carrier.EncodeQueue[T](c)
	return nil
}

func (q *Queue[T]) list() { list(q) }

// Errors of a queue.
var (
	errDetached      = carrier.NewError("this handle of the queue was detached", ErrClosed)
	errFullDeadline  = fmt.Errorf("%w: %w", ErrFull, context.DeadlineExceeded)
	errEmptyDeadline = fmt.Errorf("%w: %w", ErrEmpty, context.DeadlineExceeded)
)

// ended is the error of a wait, which says what it waited for if its time was over.
func ended(err, late error) error {
	if err == context.DeadlineExceeded {
		return late
	}
	return err
}
