package thread_test

import (
	"context"
	"math/bits"
	"runtime"
	"testing"
	"weak"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// cargo is large enough to be an object of its own for the collector.
type cargo struct {
	number int
	_      [1 << 10]byte
}

// cargoQueues are the three kinds of queue.
var cargoQueues = map[string]func(capacity int) (*mp.Queue[*cargo], error){
	"oldest": thread.NewQueue[*cargo],
	"newest": thread.NewLIFOQueue[*cargo],
	"least": func(capacity int) (*mp.Queue[*cargo], error) {
		return thread.NewPriorityQueue(capacity, func(a, b *cargo) bool { return a.number < b.number })
	},
}

// watched makes a cargo that one can see go.
func watched(number int) (*cargo, weak.Pointer[cargo]) {
	c := &cargo{number: number}
	return c, weak.Make(c)
}

// left is how many of them the collector has to keep.
func left(all []weak.Pointer[cargo]) (n int) {
	for range 3 {
		runtime.GC()
	}
	for _, w := range all {
		if w.Value() != nil {
			n++
		}
	}
	return n
}

func TestQueueKeepsNothingOfWhatWasGot(t *testing.T) {
	t.Parallel()
	for name, newQueue := range cargoQueues {
		q, err := newQueue(0)
		if err != nil {
			t.Fatal(err)
		}
		var all []weak.Pointer[cargo]
		for i := range 3000 {
			c, w := watched(i * 7919 % 3000)
			all = append(all, w)
			q.TryPut(c)
		}
		for range 2990 {
			if _, err := q.TryGet(); err != nil {
				t.Fatal(err)
			}
		}
		if n := left(all); n != 10 {
			t.Errorf("%s: %d are kept of 10 that are there", name, n)
		}
		if n, err := q.CloseNow(); n != 10 || err != nil {
			t.Error(n, err)
		}
		if n := left(all); n != 0 {
			t.Errorf("%s: CloseNow keeps %d", name, n)
		}
		runtime.KeepAlive(q)
	}
}

// What went from hand to hand is not kept either, nor what was not put in the end.
func TestQueueKeepsNothingOfWaits(t *testing.T) {
	t.Parallel()
	for name, newQueue := range cargoQueues {
		q, err := newQueue(1)
		if err != nil {
			t.Fatal(err)
		}
		var all []weak.Pointer[cargo]
		done := make(chan struct{})
		go func() {
			defer close(done)
			for c, err := range q.All(context.Background()) {
				if c == nil || err != nil {
					t.Error(err)
				}
			}
		}()
		for i := range 500 {
			c, w := watched(i)
			all = append(all, w)
			if err := q.Put(context.Background(), c); err != nil {
				t.Error(err)
			}
		}
		q.Close()
		<-done
		if n := left(all); n != 0 {
			t.Errorf("%s: %d are kept", name, n)
		}
		runtime.KeepAlive(q)
	}
}

func TestQueueKeepsNothingOfAPutThatWasCancelled(t *testing.T) {
	t.Parallel()
	q, err := thread.NewQueue[*cargo](1)
	if err != nil {
		t.Fatal(err)
	}
	q.TryPut(nil)
	ctx, cancel := context.WithCancel(context.Background())
	var all []weak.Pointer[cargo]
	ends := make(chan error)
	for i := range 20 {
		c, w := watched(i)
		all = append(all, w)
		go func() { ends <- q.Put(ctx, c) }()
	}
	for range 50 {
		runtime.Gosched()
	}
	cancel()
	for range all {
		if err := <-ends; err != context.Canceled {
			t.Error(err)
		}
	}
	if n := left(all); n != 0 {
		t.Errorf("%d are kept", n)
	}
	runtime.KeepAlive(q)
}

func heapInUse() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Not parallel: it looks at the memory of the process.
func TestQueueThatWasLargeShrinks(t *testing.T) {
	const items = 1 << 17 // of a word, and of more with a number for the order
	for name, newQueue := range intQueues {
		q, err := newQueue(0)
		if err != nil {
			t.Fatal(err)
		}
		before := heapInUse()
		for i := range items {
			q.TryPut(i)
		}
		full := heapInUse() - before
		for range items - 10 {
			if _, err := q.TryGet(); err != nil {
				t.Fatal(err)
			}
		}
		after := heapInUse() - before
		t.Logf("%s: %d bytes when it was large, %d with ten items", name, full, after)
		if full < items*bits.UintSize/10 || after > 1<<18 {
			t.Errorf("%s: %d bytes, and %d bytes with ten items", name, full, after)
		}
		runtime.KeepAlive(q)
	}
}
