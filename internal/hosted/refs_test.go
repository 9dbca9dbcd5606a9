//go:build linux

package hosted_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// parcel has handles of hosted objects.
type parcel struct {
	Queue *mp.Queue[int]
	Inner *mp.Queue[*mp.Queue[int]]
}

func detach(t *testing.T, handles ...interface{ Detach() error }) {
	t.Helper()
	for _, h := range handles {
		if err := h.Detach(); err != nil {
			t.Error(err)
		}
	}
}

// A handle that lies in a hosted queue is alive, though nobody else has one, not even its sender.
func TestItemKeepsWhatItRefersTo(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	s, path := serve(t, hosted.Config{Lease: time.Millisecond})
	c := connect(t, path, hosted.ClientConfig{})
	way := testkit.Must(testkit.NewHostedQueue[parcel](c, hosted.FirstInFirstOut, 0))(t)
	p := parcel{
		testkit.Must(testkit.NewHostedQueue[int](c, hosted.FirstInFirstOut, 0))(t),
		testkit.Must(testkit.NewHostedQueue[*mp.Queue[int]](c, hosted.FirstInFirstOut, 0))(t),
	}
	testkit.MustPut(t, p.Queue, 1, 2)
	if err := errors.Join(p.Inner.Put(ctx, p.Queue), way.Put(ctx, p)); err != nil {
		t.Fatal(err)
	}
	detach(t, p.Queue, p.Inner)
	if n := s.Objects(); n != 3 {
		t.Error(n, "objects")
	}
	came := testkit.Must(way.Get(ctx))(t)
	inner := testkit.Must(came.Inner.Get(ctx))(t)
	for i, q := range []*mp.Queue[int]{came.Queue, inner} {
		if v, err := q.TryGet(); v != i+1 || err != nil {
			t.Error(v, err)
		}
	}
	detach(t, came.Queue, came.Inner, inner)
	eventually(t, "one object", func() bool { return s.Objects() == 1 })
	if err := way.Put(ctx, parcel{Queue: testkit.Must(testkit.NewHostedQueue[int](c, hosted.LastInFirstOut, 0))(t)}); err != nil {
		t.Fatal(err)
	}
	if n, err := way.CloseNow(); n != 1 || err != nil {
		t.Error(n, err)
	}
	detach(t, way)
	runtime.GC() // has the last handle gone
	eventually(t, "no object", func() bool {
		runtime.GC()
		return s.Objects() == 0
	})
}

var countHosted = mp.Register("hosted/count", func(ctx context.Context, p parcel) (int, error) {
	return p.Queue.Get(ctx)
})

// A handle that is sent by another way and let go of at once arrives: its lease keeps the object alive.
func TestReferenceOutlivesItsSender(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	s, path := serve(t, hosted.Config{Lease: 100 * time.Millisecond})
	c := testkit.Must(testkit.DialHosted(ctx, path))(t)
	defer c.Close()
	way := testkit.Must(mp.NewQueue[parcel](2))(t)
	q := testkit.Must(testkit.NewHostedQueue[int](c, hosted.FirstInFirstOut, 0))(t)
	testkit.MustPut(t, q, 7)
	if err := way.Put(ctx, parcel{Queue: q}); err != nil {
		t.Fatal(err)
	}
	detach(t, q)
	time.Sleep(300 * time.Millisecond) // longer than the lease, which has not begun to end
	p := testkit.Must(way.Get(ctx))(t)
	if p.Queue.Len() != 1 {
		t.Error("another queue")
	}
	if v, err := mp.Call(ctx, countHosted, p); v != 7 || err != nil {
		t.Error("in another process:", v, err)
	}
	detach(t, p.Queue)
	eventually(t, "the end of leases", func() bool { return s.Objects() == 0 })
	if err := way.Put(ctx, parcel{Queue: testkit.Must(testkit.NewHostedQueue[int](c, hosted.FirstInFirstOut, 0))(t)}); err != nil {
		t.Fatal(err)
	}
	c.Close() // and the lease begins to end
	eventually(t, "the end of a sender's lease", func() bool { return s.Objects() == 0 })
	if _, err := way.Get(ctx); !errors.Is(err, carrier.ErrLost) {
		t.Error("what is gone:", err)
	}
}

// A reference to a server that cannot be reached is an error that names the reason.
func TestReferenceToAnUnknownServer(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	_, path := serve(t, hosted.Config{})
	c := connect(t, path, hosted.ClientConfig{}) // without an address
	q := testkit.Must(testkit.NewHostedQueue[int](c, hosted.FirstInFirstOut, 0))(t)
	if _, err := mp.Call(ctx, countHosted, parcel{Queue: q}); err == nil {
		t.Error("it was reached")
	}
	if _, err := c.Open(ctx, hosted.ID{1}, 0); !errors.Is(err, carrier.ErrLost) {
		t.Error("an unknown ID:", err)
	}
	mine := testkit.Must(testkit.NewHostedQueue[*mp.Queue[int]](c, hosted.FirstInFirstOut, 0))(t)
	other := testkit.Must(testkit.NewHostedQueue[*mp.Lock](c, hosted.FirstInFirstOut, 0))(t)
	if err := mine.Put(ctx, q); err != nil || other.Len() != 0 {
		t.Error(err)
	}
}

// An object that is the same is the same carrier, so that an RLock nests through each of its handles.
func TestHandlesAreOneCarrier(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	s, path := serve(t, hosted.Config{})
	c := connect(t, path, hosted.ClientConfig{})
	l := testkit.Must(c.NewRLock(ctx))(t)
	again := testkit.Must(c.Open(ctx, l.ID(), 0))(t)
	condition := testkit.Must(l.NewCondition())(t)
	if again != carrier.Object(l) || condition.Mutex() != carrier.Lock(l) {
		t.Error("several carriers of one object")
	}
	g := testkit.Must(l.Acquire(ctx))(t)
	if err := errors.Join(condition.Close(), l.Close(), again.Close()); err != nil {
		t.Error(err)
	}
	if s.Objects() == 0 {
		t.Error("a lock that is held is gone")
	}
	if err := l.Release(g.Token); err != nil {
		t.Error("through a closed handle:", err)
	}
	eventually(t, "no object", func() bool { return s.Objects() == 0 })
}
