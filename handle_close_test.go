//go:build linux

package mp_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// closable is what all handles of shared objects have.
type closable interface {
	Close() error
	Err() error
}

// closables are a handle of each kind, and what it answers.
func closables(t *testing.T, c carrier) map[string]struct {
	closable
	use func(ctx context.Context) error
} {
	lock, rlock, semaphore := must1(c.lock())(t), must1(c.rlock())(t), must1(c.semaphore(1))(t)
	condition, event, barrier := must1(c.condition(nil))(t), must1(c.event())(t), must1(c.barrier(1))(t)
	value, conn := must1(valueOn(c, 1))(t), endOf(pipeOn[int](t, c))
	array, counter := must1(arrayOn[int](c, 1))(t), must1(c.counter(1))(t)
	type entry = struct {
		closable
		use func(ctx context.Context) error
	}
	return map[string]entry{
		"Lock": {lock, func(ctx context.Context) error {
			if _, ok := lock.TryAcquire(); ok || lock.Locked() {
				return errors.New("taken")
			}
			return errorOf(lock.Acquire(ctx))
		}},
		"RLock": {rlock, func(ctx context.Context) error {
			if _, _, ok := rlock.TryAcquire(ctx); ok || rlock.Locked() {
				return errors.New("taken")
			}
			_, _, err := rlock.Acquire(ctx)
			return err
		}},
		"Semaphore": {semaphore, func(ctx context.Context) error {
			if _, ok := semaphore.TryAcquire(); ok || semaphore.Available() != 0 || !errors.Is(semaphore.Release(1), mp.ErrClosed) {
				return errors.New("taken")
			}
			return errorOf(semaphore.Acquire(ctx))
		}},
		"Condition": {condition, func(ctx context.Context) error {
			if _, ok := condition.TryAcquire(); ok || !errors.Is(condition.NotifyAll(mp.Hold{}), mp.ErrClosed) {
				return errors.New("taken")
			}
			return errorOf(condition.Acquire(ctx))
		}},
		"Event": {event, func(ctx context.Context) error {
			if !errors.Is(event.Set(), mp.ErrClosed) || !errors.Is(event.Clear(), mp.ErrClosed) || event.IsSet() {
				return errors.New("set")
			}
			if _, err := mp.Select(ctx, event); !errors.Is(err, mp.ErrClosed) {
				return err
			}
			return event.Wait(ctx)
		}},
		"Barrier": {barrier, func(ctx context.Context) error {
			if !errors.Is(barrier.Abort(), mp.ErrClosed) || barrier.Parties() != 0 || barrier.Broken() {
				return errors.New("broken")
			}
			return errorOf(barrier.Wait(ctx))
		}},
		"Value": {value, func(ctx context.Context) error {
			if value.Load() != 0 || !errors.Is(value.Store(ctx, 2), mp.ErrClosed) {
				return errors.New("a value")
			}
			return value.Update(ctx, func(*int) {})
		}},
		"Counter": {counter, func(context.Context) error {
			err, _ := panicOf(func() { counter.Add(1) }).(error)
			return err
		}},
		"Array": {array, func(context.Context) error {
			if array.Slice() != nil {
				return errors.New("memory")
			}
			return array.Err()
		}},
		"Conn": {conn, func(ctx context.Context) error { return conn.Send(ctx, 1) }},
	}
}

func endOf[T, U any](v T, _ U) T { return v }

func TestClosedHandlesAreErrClosed(t *testing.T) {
	onCarriers(t, func(t *testing.T, c carrier) {
		ctx := locksSoon(t)
		for name, h := range closables(t, c) {
			if err := h.Err(); err != nil {
				t.Error(name, err)
			}
			for range 2 {
				if err := h.Close(); err != nil {
					t.Error(name, err)
				}
				if err := h.Err(); !errors.Is(err, mp.ErrClosed) {
					t.Error(name, err)
				}
				if err := h.use(ctx); !errors.Is(err, mp.ErrClosed) {
					t.Error(name, err)
				}
			}
		}
	})
}

func TestHoldsAreReleasedThroughAClosedHandle(t *testing.T) {
	onCarriers(t, func(t *testing.T, c carrier) {
		ctx := locksSoon(t)
		lock, semaphore := must1(c.lock())(t), must1(c.semaphore(1))(t)
		for _, h := range []mp.Hold{must1(lock.Acquire(ctx))(t), must1(semaphore.Acquire(ctx))(t)} {
			if err := errors.Join(lock.Close(), semaphore.Close(), h.Release()); err != nil {
				t.Error(err)
			}
			if err := h.Release(); err != mp.ErrNotOwner {
				t.Error(err)
			}
		}
	})
}

// passed is a second handle of an object, as if it had come from another process.
func passed[T any](t *testing.T, v T) T {
	t.Helper()
	q := must1(mp.NewQueue[T](1))(t)
	defer q.Detach()
	if err := q.TryPut(v); err != nil {
		t.Fatal(err)
	}
	return must1(q.TryGet())(t)
}

// descriptors of this process that are shared memory or sockets of queues.
func descriptors(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// The descriptors are gone at once, without the garbage collector. It is not parallel: it counts those of
// the process.
func TestCloseFreesDescriptorsAtOnce(t *testing.T) {
	const many = 50
	keep := make([]any, 0, 8*many) // so that the collector frees none
	before := descriptors(t)
	for range many {
		l, e, q := must1(mp.NewLock())(t), must1(mp.NewEvent())(t), must1(mp.NewQueue[*mp.Lock](1))(t)
		c, v := must1(mp.NewCondition(l))(t), must1(mp.NewValue(1))(t)
		n, m := must1(mp.NewCounter(1))(t), must1(mp.NewMemory(1))(t)
		keep = append(keep, l, e, q, c, v, n, m)
		if err := errors.Join(l.Close(), e.Close(), q.Detach(), c.Close(), v.Close(), n.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	}
	if after := descriptors(t); after > before+many/2 {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	if len(keep) != 7*many {
		t.Error(len(keep))
	}
}

// An object lives as long as there is a handle of it, whichever, and comes again when there was none here.
func TestHandlesOfOneObjectAreClosedApart(t *testing.T) {
	t.Parallel()
	ctx := locksSoon(t)
	l := must1(mp.NewLock())(t)
	other := passed(t, l)
	h := must1(l.Acquire(ctx))(t)
	if err := l.Close(); err != nil || !other.Locked() {
		t.Error(err, other.Locked())
	}
	on := must1(mp.NewQueue[*mp.Lock](2))(t)
	defer on.Detach()
	if err := on.TryPut(l); !errors.Is(err, mp.ErrClosed) {
		t.Error("a closed handle travels:", err)
	}
	if err := on.TryPut(other); err != nil {
		t.Fatal(err)
	}
	other.Close() // the last one here
	again := must1(on.TryGet())(t)
	if !again.Locked() || again.Err() != nil {
		t.Error("it is another lock")
	}
	if err := h.Release(); err != nil || again.Locked() {
		t.Error(err)
	}
	last := passed(t, again) // it has a descriptor again
	if err := errors.Join(again.Close(), errorOf(last.Acquire(ctx))); err != nil {
		t.Error(err)
	}
}

func TestDetachedQueueComesAgain(t *testing.T) {
	t.Parallel()
	type mailbox struct{ Locks *mp.Queue[*mp.Lock] }
	locks, way := must1(mp.NewQueue[*mp.Lock](0))(t), must1(mp.NewQueue[mailbox](0))(t)
	defer way.Detach()
	l := must1(mp.NewLock())(t)
	if err := errors.Join(locks.TryPut(l), way.TryPut(mailbox{locks}), locks.Detach(), locks.Detach()); err != nil {
		t.Fatal(err)
	}
	if err := locks.TryPut(l); !errors.Is(err, mp.ErrClosed) || locks.Len() != 0 {
		t.Error(err)
	}
	if err := locks.Err(); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
	again := must1(way.TryGet())(t).Locks
	defer again.Detach()
	h := must1(l.Acquire(locksSoon(t)))(t)
	if err := errorOf(again.TryGet()); err != nil {
		t.Error(err)
	}
	if err := errors.Join(again.TryPut(l), errorOf(again.TryGet()), again.Close(), h.Release()); err != nil || again.Err() != nil {
		t.Error(err)
	}
}

// The condition of a lock has a handle of the lock.
func TestConditionOutlivesTheHandleOfItsLock(t *testing.T) {
	t.Parallel()
	l := must1(mp.NewLock())(t)
	c := must1(mp.NewCondition(l))(t)
	l.Close()
	h, err := passed(t, c).Acquire(locksSoon(t))
	if err := errors.Join(err, c.Notify(h, 1), h.Release(), c.Close()); err != nil {
		t.Error(err)
	}
}

// A queue of goroutines has nothing to let go of, but its handle does not work any more.
func TestDetachedQueueOfGoroutines(t *testing.T) {
	t.Parallel()
	q := must1(thread.NewQueue[int](0))(t)
	if err := errors.Join(q.TryPut(1), q.Detach()); err != nil {
		t.Error(err)
	}
	if err := errorOf(q.TryGet()); !errors.Is(err, mp.ErrClosed) || q.Len() != 0 || q.Err() == nil {
		t.Error(err)
	}
}
