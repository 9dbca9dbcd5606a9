//go:build linux

package locks_test

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// handles are one of each kind, of which methods that return an error return what
// they should, and the others are called.
type handles struct {
	queue     *mp.Queue[int]
	conn      *mp.Conn[int]
	lock      *mp.Lock
	rlock     *mp.RLock
	semaphore *mp.Semaphore
	condition *mp.Condition
	event     *mp.Event
	barrier   *mp.Barrier
	value     *mp.Value[int]
	counter   *mp.Counter
	array     *mp.Array[int]
	memory    *mp.Memory
}

func zeroHandles() handles {
	return handles{
		new(mp.Queue[int]), new(mp.Conn[int]), new(mp.Lock), new(mp.RLock), new(mp.Semaphore), new(mp.Condition),
		new(mp.Event), new(mp.Barrier), new(mp.Value[int]), new(mp.Counter), new(mp.Array[int]), new(mp.Memory),
	}
}

// errors calls all methods that return an error and have something to do.
func (h handles) errors(ctx context.Context) []error {
	_, _, rlockErr := h.rlock.Acquire(ctx)
	return []error{
		h.queue.Put(ctx, 1), h.queue.TryPut(1), testkit.ErrorOf(h.queue.Get(ctx)), testkit.ErrorOf(h.queue.TryGet()), h.queue.TaskDone(),
		h.queue.Join(ctx), h.queue.Close(), testkit.ErrorOf(h.queue.CloseNow()),
		h.conn.Send(ctx, 1), testkit.ErrorOf(h.conn.Recv(ctx)), testkit.ErrorOf(h.conn.Poll(ctx)), h.conn.SendBytes(ctx, nil),
		testkit.ErrorOf(h.conn.RecvBytes(ctx, 1)), testkit.ErrorOf(h.conn.RecvBytesInto(ctx, nil)),
		testkit.ErrorOf(h.lock.Acquire(ctx)), h.lock.Do(ctx, nil), rlockErr,
		testkit.ErrorOf(h.semaphore.Acquire(ctx)), h.semaphore.Release(1),
		testkit.ErrorOf(h.condition.Acquire(ctx)), testkit.ErrorOf(h.condition.Wait(ctx, mp.Hold{})),
		testkit.ErrorOf(h.condition.WaitFor(ctx, mp.Hold{}, nil)), h.condition.Notify(mp.Hold{}, 1), h.condition.NotifyAll(mp.Hold{}),
		h.event.Wait(ctx), h.event.Set(), h.event.Clear(), testkit.ErrorOf(h.barrier.Wait(ctx)), testkit.ErrorOf(h.barrier.WaitDo(ctx, nil)), h.barrier.Abort(), h.barrier.Reset(),
		h.value.Store(ctx, 1), h.value.Update(ctx, nil), h.memory.Unlink(),
		h.queue.Err(), h.conn.Err(), h.lock.Err(), h.rlock.Err(), h.semaphore.Err(), h.condition.Err(), h.event.Err(), h.barrier.Err(),
		h.value.Err(), h.counter.Err(), h.array.Err(), h.memory.Err(), mp.Hold{}.Release(),
		testkit.ErrorOf(mp.Select(ctx, h.queue)), testkit.ErrorOf(mp.Select(ctx, h.conn)), testkit.ErrorOf(mp.Select(ctx, h.event)),
	}
}

// panics are the methods that have no other way to say it.
func (h handles) panics(ctx context.Context) map[string][]func() {
	return map[string][]func(){
		"Lock": {
			func() { h.lock.TryAcquire() }, func() { h.lock.Locked() }, func() { h.lock.Owner() }, func() { h.lock.Locker() },
		},
		"RLock":     {func() { h.rlock.TryAcquire(ctx) }, func() { h.rlock.Locked() }},
		"Semaphore": {func() { h.semaphore.TryAcquire() }, func() { h.semaphore.Available() }},
		"Condition": {func() { h.condition.TryAcquire() }},
		"Event":     {func() { h.event.IsSet() }},
		"Barrier":   {func() { h.barrier.Parties() }, func() { h.barrier.Waiting() }, func() { h.barrier.Broken() }},
		"Value":     {func() { h.value.Load() }},
		"Counter": {
			func() { h.counter.Add(1) }, func() { h.counter.Load() }, func() { h.counter.Store(1) },
			func() { h.counter.CompareAndSwap(1, 2) },
		},
	}
}

func TestHandlesThatAreNone(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	for name, h := range map[string]handles{"nil": {}, "zero": zeroHandles()} {
		for i, err := range h.errors(ctx) {
			if err == nil || strings.Contains(err.Error(), "deadline") {
				t.Errorf("%s: error %d: %v", name, i, err)
			}
		}
		for kind, fs := range h.panics(ctx) {
			for i, f := range fs {
				got := testkit.PanicOf(f)
				if _, crash := got.(runtime.Error); crash || got == nil {
					t.Errorf("%s %s, %d: %v", name, kind, i, got)
					continue
				}
				err, _ := got.(error)
				want := "mp: the " + kind + " is nil, or was not made by New" + kind
				if !errors.Is(err, mp.ErrClosed) || err.Error() != want {
					t.Errorf("%s %s, %d: %v, want %s", name, kind, i, err, want)
				}
			}
		}
		if h.queue.Len() != 0 || h.queue.Cap() != 0 || !h.queue.Empty() || h.queue.Full() || h.conn.Close() != nil ||
			h.array.Slice() != nil || h.array.Len() != 0 || h.array.Close() != nil ||
			h.memory.Bytes() != nil || h.memory.Size() != 0 || h.memory.Name() != "" || h.memory.Close() != nil {
			t.Error(name)
		}
	}
	for _, s := range []mp.Selectable{new(mp.Process), nil} {
		if _, err := mp.Select(ctx, s); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Select of %v: %v", s, err)
		}
	}
}

// So go vet complains about copies.
func TestHandlesHaveALock(t *testing.T) {
	t.Parallel()
	zero := reflect.ValueOf(zeroHandles())
	for i := range zero.NumField() {
		handle := zero.Field(i).Type().Elem()
		if f := handle.Field(0); f.Type != reflect.TypeFor[[0]sync.Mutex]() {
			t.Errorf("%v begins with %v", handle, f.Type)
		}
	}
}

func TestHandlesThatAreNoneDoNotTravel(t *testing.T) {
	t.Parallel()
	zero := zeroHandles()
	_, lock := testkit.Send(t, zero.lock)
	_, queue := testkit.Send(t, zero.queue)
	_, conn := testkit.Send(t, zero.conn)
	_, value := testkit.Send(t, zero.value)
	for want, err := range map[string]error{
		"mp: in: a Lock that was not made by NewLock":                         lock,
		"mp: in: the queue is nil or was not made by NewQueue":                queue,
		"mp: in: this end of the pipe is closed, or moved to another process": conn,
		"mp: in: a Value that was not made by NewValue":                       value,
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What is shared is a pointer: inside an interface it is the pointer that must be known.
func TestHandleInAnInterface(t *testing.T) {
	t.Parallel()
	lock := testkit.Must(mp.NewLock())(t)
	queue := testkit.Must(mp.NewQueue[string](1))(t)
	for want, v := range map[string]any{
		`call mp.RegisterType[*mp.Lock]("a name")`:          lock,
		`call mp.RegisterType[*mp.Queue[string]]("a name")`: queue,
		`a mp.Lock is shared by its pointer`:                &[]mp.Lock{{}},
	} {
		if _, err := testkit.Send(t, []any{v}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "in[0]: ") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
