//go:build linux

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

func TestQueueRefusesWhatCannotTravel(t *testing.T) {
	t.Parallel()
	type job struct {
		Name string
		Next func()
	}
	q := testkit.NewQueue[[]job](t, 1)
	err := q.TryPut([]job{{"a", nil}, {"b", func() {}}})
	var refused *codec.Error
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "item[0].Next") || q.Len() != 0 {
		t.Error(err, q.Len())
	}
}

// A queue of goroutines holds pointers of its process: it cannot go to another one.
func TestQueueOfThreadsDoesNotTravel(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	inner, err := thread.NewQueue[string](0)
	if err != nil {
		t.Fatal(err)
	}
	check := func(how string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "a Queue of package thread belongs to its process: use mp.NewQueue") {
			t.Errorf("%s: %v", how, err)
		}
	}
	in := inQueue{Queue: inner}
	_, err = mp.Start(ctx, takeQueue, in)
	check("a process", err)
	pool := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	_, err = mp.Apply(ctx, pool, takeQueue, in)
	check("a pool", err)
	q := testkit.NewQueue[inQueue](t, 0)
	check("an item", q.TryPut(in))
	if q.Len() != 0 {
		t.Error("what was refused is in the queue")
	}
	between, err := thread.NewQueue[inQueue](0)
	if err == nil {
		err = between.TryPut(in)
	}
	if err != nil {
		t.Error("an item for a goroutine:", err)
	}
	if got, err := between.TryGet(); got.Queue != inner || err != nil {
		t.Error(got, err)
	}
}

type zoo struct {
	Name   string
	Raw    []byte
	Nested map[string][]float64
	Next   *zoo
	Any    any
	When   time.Time
	Big    [3]int32
}

func TestQueueItemsAreDeeplyEqual(t *testing.T) {
	t.Parallel()
	q := testkit.NewQueue[zoo](t, 0)
	for _, size := range []int{0, 1, 31 << 10, 33 << 10, 64 << 10, 65 << 10, 600 << 10, 3 << 20} {
		want := zoo{"z", make([]byte, size), map[string][]float64{"a": {1, 2}, "b": nil}, &zoo{Name: "y"}, int64(size), time.Now().UTC().Round(0), [3]int32{1, 2, 3}}
		if err := q.TryPut(want); err != nil {
			t.Fatal(err)
		}
		if got, err := q.TryGet(); err != nil || !reflect.DeepEqual(got, want) {
			t.Error(size, err)
		}
	}
	bools := testkit.NewQueue[[2]bool](t, 0)
	bools.TryPut([2]bool{true, false})
	if got, err := bools.TryGet(); err != nil || got != [2]bool{true, false} {
		t.Error(got, err)
	}
}

// inQueue is an item that holds a queue, and perhaps the one it is in.
type inQueue struct {
	Queue *mp.Queue[string]
	Self  *mp.Queue[inQueue]
	Many  []*mp.Memory
}

// makeQueue puts a new queue with an item into a queue, and waits to be killed.
var makeQueue = mp.Register("queue/make", func(ctx context.Context, to *mp.Queue[inQueue]) (mp.None, error) {
	q, err := mp.NewQueue[string](0)
	if err != nil {
		return mp.None{}, err
	}
	if err := q.Put(ctx, "from the dead"); err != nil {
		return mp.None{}, err
	}
	if err := to.Put(ctx, inQueue{Queue: q, Self: to}); err != nil {
		return mp.None{}, err
	}
	<-ctx.Done()
	return mp.None{}, nil
})

func TestQueueInAQueueOfADeadProcess(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	q := testkit.NewQueue[inQueue](t, 0)
	p, err := mp.Start(ctx, makeQueue, q)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Until(t, "the process has put something", func() bool { return !q.Empty() })
	p.Kill()
	<-p.Done()
	in, err := q.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := in.Queue.TryGet(); got != "from the dead" || err != nil {
		t.Error(got, err)
	}
	in.Self.TryPut(inQueue{})
	if _, err := q.TryGet(); err != nil {
		t.Error("the queue that came out of itself is another:", err)
	}
}

// An item holds as many descriptors as the kernel carries with one message.
func TestQueueItemFullOfShareables(t *testing.T) {
	t.Parallel()
	const most = 253
	q := testkit.NewQueue[inQueue](t, 0)
	var in inQueue
	for i := range most {
		m, err := mp.NewMemory(8)
		if err != nil {
			t.Fatal(err)
		}
		m.Bytes()[0] = byte(i)
		in.Many = append(in.Many, m)
	}
	for range 2 {
		if err := q.TryPut(in); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		out, err := q.TryGet()
		if err != nil || len(out.Many) != most {
			t.Fatal(err)
		}
		for i, m := range out.Many {
			if m.Bytes()[0] != byte(i) {
				t.Fatal("another memory at", i)
			}
			m.Close()
		}
	}
	for _, m := range in.Many {
		m.Close()
	}
}

// Items with descriptors wait for room in the kernel, too.
func TestQueueOfManyDescriptors(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	q := testkit.NewQueue[*mp.Queue[int]](t, 0)
	carried := testkit.NewQueue[int](t, 0)
	n := 0
	for ; ; n++ {
		if err := q.TryPut(carried); errors.Is(err, mp.ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Log(n, "items")
	put := make(chan error)
	go func() { put <- q.Put(ctx, carried) }()
	testkit.UntilBlocked(t, 1, "Put")
	for range n + 1 {
		if _, err := q.Get(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-put; err != nil {
		t.Error(err)
	}
}

var takeQueue = mp.Register("queue/take", func(ctx context.Context, in inQueue) (mp.None, error) {
	return mp.None{}, in.Queue.TryPut("x")
})

// resources counts what this process has of queues.
func queueResources() (fds, maps int) {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, l := range links {
		if to, _ := os.Readlink(l); strings.Contains(to, "memfd:mp-queue") || strings.Contains(to, "socket:") {
			fds++
		}
	}
	b, _ := os.ReadFile("/proc/self/maps")
	return fds, strings.Count(string(b), "memfd:mp-queue")
}

// Not parallel: it counts what the process has.
func TestQueuesThatAreDropped(t *testing.T) {
	ctx := context.Background()
	n := testkit.Times(1000, 100_000)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Shutdown(ctx)
	most := 0
	for i := range n {
		self := testkit.NewQueue[inQueue](t, 0)
		in := inQueue{Queue: testkit.NewQueue[string](t, 0), Self: self}
		if _, err := mp.Apply(ctx, pool, takeQueue, in); err != nil {
			t.Fatal(i, err)
		}
		if _, err := in.Queue.TryGet(); err != nil {
			t.Fatal(err)
		}
		if i%4 == 0 {
			self.TryPut(inQueue{Self: self}) // for the kernel to find
		}
		if i%100 == 0 {
			fds, _ := queueResources()
			most = max(most, fds)
		}
	}
	testkit.Until(t, "descriptors and mappings of the queues are gone", func() bool {
		runtime.GC()
		fds, maps := queueResources()
		return fds < 20 && maps < 20
	})
	t.Logf("%d descriptors at most", most)
}

var giveUp = mp.Register("queue/giveUp", func(ctx context.Context, q *mp.Queue[int]) (mp.None, error) {
	if _, err := q.Get(ctx); err != nil {
		return mp.None{}, err
	}
	os.Exit(3)
	return mp.None{}, nil
})

func TestQueueJoinSaysWhatWasAbandoned(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	q := testkit.NewQueue[int](t, 0)
	q.TryPut(1)
	if _, err := mp.Start(ctx, giveUp, q); err != nil {
		t.Fatal(err)
	}
	err := q.Join(ctx)
	if !errors.Is(err, mp.ErrAbandoned) || !strings.Contains(fmt.Sprint(err), "1 item") {
		t.Error(err)
	}
	if err := q.Join(ctx); err != nil {
		t.Error("again:", err)
	}
}
