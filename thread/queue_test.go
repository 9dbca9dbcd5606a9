package thread_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// What each queue does, between processes too, is tested with package mp. Here is what only
// these queues can do, and what needs the clock of a bubble.

// intQueues are the three kinds of queue.
var intQueues = map[string]func(capacity int) (*mp.Queue[int], error){
	"oldest": thread.NewQueue[int],
	"newest": thread.NewLIFOQueue[int],
	"least": func(capacity int) (*mp.Queue[int], error) {
		return thread.NewPriorityQueue(capacity, intLess)
	},
}

// inBubbles runs a test for each kind of queue, each in a bubble of its own.
func inBubbles(t *testing.T, capacity int, test func(t *testing.T, q *mp.Queue[int])) {
	t.Parallel()
	for name, newQueue := range intQueues {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, err := newQueue(capacity)
				if err != nil {
					t.Fatal(err)
				}
				test(t, q)
			})
		})
	}
}

// one is the only item there can be.
func one(t *testing.T, q *mp.Queue[int], want int) {
	t.Helper()
	if v, err := q.TryGet(); v != want || err != nil {
		t.Error(v, err, "want", want)
	}
}

func TestQueueWaitsForItsDeadline(t *testing.T) {
	inBubbles(t, 1, func(t *testing.T, q *mp.Queue[int]) {
		anHour := func(want error, wait func(ctx context.Context) error) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			start := time.Now()
			err := wait(ctx)
			if took := time.Since(start); took != time.Hour || !errors.Is(err, want) || !errors.Is(err, context.DeadlineExceeded) {
				t.Error(took, err)
			}
		}
		anHour(mp.ErrEmpty, func(ctx context.Context) error { _, err := q.Get(ctx); return err })
		q.TryPut(1)
		anHour(mp.ErrFull, func(ctx context.Context) error { return q.Put(ctx, 2) })
		anHour(context.DeadlineExceeded, q.Join)
		one(t, q, 1)
	})
}

// Waiters are served in the order of coming, and those that gave up are passed over.
func TestQueueServesGetsInTurn(t *testing.T) {
	inBubbles(t, 1, func(t *testing.T, q *mp.Queue[int]) {
		leaves, leave := context.WithCancel(t.Context())
		got := make([]int, 6)
		for i := range got {
			ctx := t.Context()
			if i%3 == 1 {
				ctx = leaves
			}
			go func() {
				v, err := q.Get(ctx)
				if got[i] = v; errors.Is(err, context.Canceled) != (i%3 == 1) {
					t.Error(i, v, err)
				}
			}()
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		for i, want := range []int{0, 2, 3, 5} {
			if err := q.TryPut(i + 10); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got[want] != i+10 || q.Len() != 0 {
				t.Errorf("item %d: %v are got, %d are left", i, got, q.Len())
			}
		}
	})
}

func TestQueueServesPutsInTurn(t *testing.T) {
	inBubbles(t, 1, func(t *testing.T, q *mp.Queue[int]) {
		leaves, leave := context.WithCancel(t.Context())
		q.TryPut(100)
		for i := range 6 {
			ctx := t.Context()
			if i%3 == 1 {
				ctx = leaves
			}
			go func() {
				if err := q.Put(ctx, i); errors.Is(err, context.Canceled) != (i%3 == 1) {
					t.Error(i, err)
				}
			}()
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		for _, want := range []int{100, 0, 2, 3, 5} {
			one(t, q, want)
		}
		if q.Len() != 0 {
			t.Error(q.Len())
		}
	})
}

// A ctx that ends when the item comes loses the item neither nor the room.
func TestQueueWaitThatEndsAsItIsServed(t *testing.T) {
	inBubbles(t, 1, func(t *testing.T, q *mp.Queue[int]) {
		gets, puts := 0, 0
		for i := range 200 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			got, put := false, false
			go func() {
				_, err := q.Get(ctx)
				got = err == nil
			}()
			time.Sleep(time.Second) // until the instant of the deadline
			if err := q.TryPut(i); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got != (q.Len() == 0) {
				t.Fatalf("round %d: got %v, %d items are left", i, got, q.Len())
			}
			if cancel(); got {
				gets++
				q.TryPut(i)
			}
			ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			go func() { put = q.Put(ctx, -1) == nil }()
			time.Sleep(time.Second)
			one(t, q, i)
			synctest.Wait()
			if put != (q.Len() == 1) {
				t.Fatalf("round %d: put %v, %d items are there", i, put, q.Len())
			}
			if cancel(); put {
				puts++
				one(t, q, -1)
			}
		}
		t.Log(gets, "gets and", puts, "puts were served at the last moment")
	})
}

func TestQueueFreesAllJoins(t *testing.T) {
	inBubbles(t, 0, func(t *testing.T, q *mp.Queue[int]) {
		var free atomic.Int32
		q.TryPut(1)
		for range 3 {
			go func() {
				if err := q.Join(t.Context()); err != nil {
					t.Error(err)
				}
				free.Add(1)
			}()
			synctest.Wait()
		}
		one(t, q, 1)
		synctest.Wait()
		if free.Load() != 0 {
			t.Error("Join did not wait for TaskDone")
		}
		if err := q.TaskDone(); err != nil {
			t.Error(err)
		}
		q.TryPut(2) // which those that were free already do not wait for
		synctest.Wait()
		if n := free.Load(); n != 3 {
			t.Error(n, "of 3 are free")
		}
	})
}

func TestQueueInSelect(t *testing.T) {
	inBubbles(t, 1, func(t *testing.T, q *mp.Queue[int]) {
		var ready []int
		go func() {
			var err error
			if ready, err = mp.Select(t.Context(), q); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		if ready != nil {
			t.Error("an empty queue is ready")
		}
		q.TryPut(1)
		synctest.Wait()
		if len(ready) != 1 {
			t.Error("a queue with an item is not ready")
		}
		one(t, q, 1)
		ready = nil
		go func() { ready, _ = mp.Select(t.Context(), q) }()
		synctest.Wait()
		q.Close()
		synctest.Wait()
		if len(ready) != 1 {
			t.Error("a queue that was closed meanwhile is not ready")
		}
	})
}

// Not parallel: it counts goroutines.
func TestQueueWaitsCostNoGoroutine(t *testing.T) {
	const waits = 1000
	ctx, cancel := context.WithCancel(t.Context())
	empty, _ := thread.NewQueue[int](1)
	ends := make(chan error)
	before := runtime.NumGoroutine()
	for range waits {
		go func() {
			_, err := empty.Get(ctx)
			ends <- err
		}()
	}
	for range 100 {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine() - before; n > waits {
		t.Errorf("%d goroutines for %d waits", n, waits)
	}
	cancel()
	for range waits {
		if err := <-ends; err != context.Canceled {
			t.Error(err)
		}
	}
}

func TestQueueDoesNotCopy(t *testing.T) {
	t.Parallel()
	type job struct{ Do func() int }
	q, err := thread.NewQueue[*job](0)
	if err != nil {
		t.Fatal(err)
	}
	j := &job{Do: func() int { return 7 }}
	if err := q.TryPut(j); err != nil {
		t.Fatal(err)
	}
	if got, err := q.TryGet(); got != j || err != nil || got.Do() != 7 {
		t.Error(got, err)
	}
}

func TestQueueThatNeedNotWaitAllocatesNothing(t *testing.T) {
	for name, newQueue := range intQueues {
		q, _ := newQueue(0)
		for i := range 100 {
			q.TryPut(i)
		}
		ctx := t.Context()
		if n := testing.AllocsPerRun(1000, func() {
			for i := range 20 {
				q.Put(ctx, i)
			}
			for range 20 {
				q.Get(ctx)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations for 20 items", name, n)
		}
	}
}
