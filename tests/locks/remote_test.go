package locks_test

import (
	"errors"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"

	contract "github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// The constructors.

// remoteParcel has an object of each kind.
type remoteParcel struct {
	Lock      *mp.Lock
	Semaphore *mp.Semaphore
	Event     *mp.Event
	Value     *mp.Value[int]
	Queue     *mp.Queue[int]
}

func newRemoteParcel(t *testing.T, c *testkit.RemoteClient) (p remoteParcel) {
	t.Helper()
	var errs [5]error
	p.Lock, errs[0] = c.NewLock()
	p.Semaphore, errs[1] = c.NewSemaphore(1, true)
	p.Event, errs[2] = c.NewEvent()
	p.Value, errs[3] = testkit.NewRemoteValue(1)
	p.Queue, errs[4] = testkit.NewRemoteQueue[int](2)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return p
}

// Handles travel inside values, those in items of a queue that is behind the pipe itself too.
func TestRemoteObjectsTravel(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	way, err := testkit.NewRemoteQueue[remoteParcel](1)
	if err != nil {
		t.Fatal(err)
	}
	sent := newRemoteParcel(t, testkit.TheRemote())
	if err := way.Put(ctx, sent); err != nil {
		t.Fatal(err)
	}
	came, err := way.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h, err := sent.Lock.Acquire(ctx)
	if _, free := came.Lock.TryAcquire(); err != nil || free || !came.Lock.Locked() {
		t.Error("another lock:", err)
	}
	p, ok := came.Semaphore.TryAcquire()
	if !ok || sent.Semaphore.Available() != 0 {
		t.Error("another semaphore")
	}
	if err := errors.Join(h.Release(), p.Release(), came.Event.Set(), sent.Event.Wait(ctx)); err != nil {
		t.Error(err)
	}
	if err := came.Value.Update(ctx, func(v *int) { *v++ }); err != nil || sent.Value.Load() != 2 {
		t.Error("another value:", err)
	}
	if err := errors.Join(came.Queue.Put(ctx, 5), sent.Queue.TaskDone()); !errors.Is(err, mp.ErrNotOwner) || came.Queue.Len() != 1 {
		t.Error(err)
	}
	if v, err := sent.Queue.Get(ctx); v != 5 || err != nil {
		t.Error("another queue:", v, err)
	}
}

// An object that came as another one is refused.
func TestRemoteObjectOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	var b codec.Buffer
	if err := (&testkit.RemoteEvent{RemoteObject: testkit.TheRemote().Make(inproc.NewEvent(), testkit.RemoteIsEvent, 0)}).Share(&b); err != nil {
		t.Fatal(err)
	}
	r := codec.NewReader(b.Bytes())
	if _, err := contract.Open[contract.Lock](contract.Kind(r.Byte()), r); err == nil {
		t.Error("an event is a lock")
	}
	if _, err := contract.Open[contract.Lock](contract.Kind(255), r); err == nil {
		t.Error("an unknown kind was opened")
	}
}

// When the server is gone, everything is ErrLost, and what has no error is zero and Err says why.
func TestRemoteServerThatIsGone(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	c := testkit.NewRemoteClient()
	l, _ := c.NewLock()
	e, _ := c.NewEvent()
	h, err := l.Acquire(ctx)
	if err != nil || l.Err() != nil {
		t.Fatal(err)
	}
	acquire := func() error {
		_, err := l.Acquire(ctx)
		return err
	}
	waits := make(chan error, 2)
	go func() { waits <- acquire() }()
	go func() { waits <- e.Wait(ctx) }()
	c.Pipe.Close()
	for range 2 {
		if err := <-waits; !errors.Is(err, mp.ErrLost) {
			t.Error(err)
		}
	}
	for _, err := range []error{acquire(), h.Release(), e.Set(), e.Clear(), e.Wait(ctx), l.Err(), e.Err()} {
		if !errors.Is(err, mp.ErrLost) {
			t.Error(err)
		}
	}
	if _, ok := l.TryAcquire(); ok || l.Locked() || e.IsSet() {
		t.Error("not zero")
	}
	if err := l.Close(); err != nil || !errors.Is(l.Err(), mp.ErrClosed) {
		t.Error(err, l.Err())
	}
}
