//go:build linux

package locks_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// closable is what all handles of shared objects have.
type closable interface {
	Close() error
	Err() error
}

// closables are a handle of each kind, and what it answers.
func closables(t *testing.T, c testkit.Carrier) map[string]struct {
	closable
	use func(ctx context.Context) error
} {
	lock, rlock, semaphore := testkit.Must(c.Lock())(t), testkit.Must(c.Rlock())(t), testkit.Must(c.Semaphore(1))(t)
	condition, event, barrier := testkit.Must(c.Condition(nil))(t), testkit.Must(c.Event())(t), testkit.Must(c.Barrier(1))(t)
	value, conn := testkit.Must(testkit.ValueOn(c, 1))(t), endOf(testkit.PipeOn[int](t, c))
	array, counter := testkit.Must(testkit.ArrayOn[int](c, 1))(t), testkit.Must(c.Counter(1))(t)
	type entry = struct {
		closable
		use func(ctx context.Context) error
	}
	return map[string]entry{
		"Lock": {lock, func(ctx context.Context) error {
			if _, ok := lock.TryAcquire(); ok || lock.Locked() {
				return errors.New("taken")
			}
			return testkit.ErrorOf(lock.Acquire(ctx))
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
			return testkit.ErrorOf(semaphore.Acquire(ctx))
		}},
		"Condition": {condition, func(ctx context.Context) error {
			if _, ok := condition.TryAcquire(); ok || !errors.Is(condition.NotifyAll(mp.Hold{}), mp.ErrClosed) {
				return errors.New("taken")
			}
			return testkit.ErrorOf(condition.Acquire(ctx))
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
			return testkit.ErrorOf(barrier.Wait(ctx))
		}},
		"Value": {value, func(ctx context.Context) error {
			if value.Load() != 0 || !errors.Is(value.Store(ctx, 2), mp.ErrClosed) {
				return errors.New("a value")
			}
			return value.Update(ctx, func(*int) {})
		}},
		"Counter": {counter, func(context.Context) error {
			err, _ := testkit.PanicOf(func() { counter.Add(1) }).(error)
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
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
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
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		ctx := testkit.Ctx(t)
		lock, semaphore := testkit.Must(c.Lock())(t), testkit.Must(c.Semaphore(1))(t)
		for _, h := range []mp.Hold{testkit.Must(lock.Acquire(ctx))(t), testkit.Must(semaphore.Acquire(ctx))(t)} {
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
	q := testkit.Must(mp.NewQueue[T](1))(t)
	defer q.Detach()
	if err := q.TryPut(v); err != nil {
		t.Fatal(err)
	}
	return testkit.Must(q.TryGet())(t)
}

// The descriptors are gone at once, without the garbage collector. It is not parallel: it counts those of
// the process.
func TestCloseFreesDescriptorsAtOnce(t *testing.T) {
	const many = 50
	keep := make([]any, 0, 8*many) // so that the collector frees none
	before := testkit.Descriptors("")
	for range many {
		l, e, q := testkit.Must(mp.NewLock())(t), testkit.Must(mp.NewEvent())(t), testkit.Must(mp.NewQueue[*mp.Lock](1))(t)
		c, v := testkit.Must(mp.NewCondition(l))(t), testkit.Must(mp.NewValue(1))(t)
		n, m := testkit.Must(mp.NewCounter(1))(t), testkit.Must(mp.NewMemory(1))(t)
		keep = append(keep, l, e, q, c, v, n, m)
		if err := errors.Join(l.Close(), e.Close(), q.Detach(), c.Close(), v.Close(), n.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	}
	if after := testkit.Descriptors(""); after > before+many/2 {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	if len(keep) != 7*many {
		t.Error(len(keep))
	}
}

// An object lives as long as there is a handle of it, whichever, and comes again when there was none here.
func TestHandlesOfOneObjectAreClosedApart(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	l := testkit.Must(mp.NewLock())(t)
	other := passed(t, l)
	h := testkit.Must(l.Acquire(ctx))(t)
	if err := l.Close(); err != nil || !other.Locked() {
		t.Error(err, other.Locked())
	}
	on := testkit.Must(mp.NewQueue[*mp.Lock](2))(t)
	defer on.Detach()
	if err := on.TryPut(l); !errors.Is(err, mp.ErrClosed) {
		t.Error("a closed handle travels:", err)
	}
	if err := on.TryPut(other); err != nil {
		t.Fatal(err)
	}
	other.Close() // the last one here
	again := testkit.Must(on.TryGet())(t)
	if !again.Locked() || again.Err() != nil {
		t.Error("it is another lock")
	}
	if err := h.Release(); err != nil || again.Locked() {
		t.Error(err)
	}
	last := passed(t, again) // it has a descriptor again
	if err := errors.Join(again.Close(), testkit.ErrorOf(last.Acquire(ctx))); err != nil {
		t.Error(err)
	}
}

func TestDetachedQueueComesAgain(t *testing.T) {
	t.Parallel()
	type mailbox struct{ Locks *mp.Queue[*mp.Lock] }
	locks, way := testkit.Must(mp.NewQueue[*mp.Lock](0))(t), testkit.Must(mp.NewQueue[mailbox](0))(t)
	defer way.Detach()
	l := testkit.Must(mp.NewLock())(t)
	if err := errors.Join(locks.TryPut(l), way.TryPut(mailbox{locks}), locks.Detach(), locks.Detach()); err != nil {
		t.Fatal(err)
	}
	if err := locks.TryPut(l); !errors.Is(err, mp.ErrClosed) || locks.Len() != 0 {
		t.Error(err)
	}
	if err := locks.Err(); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
	again := testkit.Must(way.TryGet())(t).Locks
	defer again.Detach()
	h := testkit.Must(l.Acquire(testkit.Ctx(t)))(t)
	if err := testkit.ErrorOf(again.TryGet()); err != nil {
		t.Error(err)
	}
	if err := errors.Join(again.TryPut(l), testkit.ErrorOf(again.TryGet()), again.Close(), h.Release()); err != nil || again.Err() != nil {
		t.Error(err)
	}
}

// The condition of a lock has a handle of the lock.
func TestConditionOutlivesTheHandleOfItsLock(t *testing.T) {
	t.Parallel()
	l := testkit.Must(mp.NewLock())(t)
	c := testkit.Must(mp.NewCondition(l))(t)
	l.Close()
	h, err := passed(t, c).Acquire(testkit.Ctx(t))
	if err := errors.Join(err, c.Notify(h, 1), h.Release(), c.Close()); err != nil {
		t.Error(err)
	}
}

// A queue of goroutines has nothing to let go of, but its handle does not work any more.
func TestDetachedQueueOfGoroutines(t *testing.T) {
	t.Parallel()
	q := testkit.Must(thread.NewQueue[int](0))(t)
	if err := errors.Join(q.TryPut(1), q.Detach()); err != nil {
		t.Error(err)
	}
	if err := testkit.ErrorOf(q.TryGet()); !errors.Is(err, mp.ErrClosed) || q.Len() != 0 || q.Err() == nil {
		t.Error(err)
	}
}
