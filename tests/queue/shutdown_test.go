package queue_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestQueueJoinWaitsForEachTask(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		q := k.New(t, 0)
		if err := q.Join(ctx); err != nil {
			t.Error("of a queue without items:", err)
		}
		var sum atomic.Int64
		var workers sync.WaitGroup
		for range 3 {
			workers.Go(func() {
				for v, err := range q.All(ctx) {
					if sum.Add(int64(v)); err != nil || q.TaskDone() != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 3 { // a queue may be joined again
			sum.Store(0)
			for i := range 100 {
				testkit.MustPut(t, q, i)
			}
			if err := q.Join(ctx); err != nil || sum.Load() != 4950 {
				t.Error(err, sum.Load())
			}
		}
		q.Close()
		workers.Wait()
	})
}

func TestQueueTaskDoneOnceForEachItem(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		q := k.New(t, 0)
		if err := q.TaskDone(); !errors.Is(err, mp.ErrNotOwner) {
			t.Error(err)
		}
		testkit.MustPut(t, q, 1)
		if err := q.TaskDone(); !errors.Is(err, mp.ErrNotOwner) {
			t.Error("of an item that was not got:", err)
		}
		if _, err := q.TryGet(); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(testkit.Ctx(t))
		join := begin(func() error { return q.Join(ctx) })
		cancel()
		mustEnd(t, context.Canceled, join)
		if err := q.TaskDone(); err != nil {
			t.Error(err)
		}
		if err := q.TaskDone(); !errors.Is(err, mp.ErrNotOwner) {
			t.Error(err)
		}
		if err := q.Join(testkit.Ctx(t)); err != nil {
			t.Error(err)
		}
	})
}

func TestQueueCloseLetsNothingIn(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		q := k.New(t, 3)
		testkit.MustPut(t, q, 5, 5)
		for range 2 {
			if err := q.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := q.TryPut(6); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
		if err := q.Put(ctx, 6); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
		if q.Len() != 2 {
			t.Error(q.Len())
		}
		n := 0
		for v, err := range q.All(ctx) {
			if n++; v != 5 || err != nil || q.TaskDone() != nil {
				t.Error(v, err)
			}
		}
		if n != 2 {
			t.Error(n, "items")
		}
		if _, err := q.TryGet(); !errors.Is(err, mp.ErrClosed) || errors.Is(err, mp.ErrEmpty) {
			t.Error(err)
		}
		if _, err := q.Get(ctx); !errors.Is(err, mp.ErrClosed) {
			t.Error(err)
		}
		if err := q.Join(ctx); err != nil {
			t.Error(err)
		}
	})
}

// What is closed says that, whether there would be room or not.
func TestQueueCloseOfAFullOne(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		q := k.New(t, 1)
		testkit.MustPut(t, q, 1)
		q.Close()
		if err := q.TryPut(2); !errors.Is(err, mp.ErrClosed) || errors.Is(err, mp.ErrFull) {
			t.Error(err)
		}
		if err := q.Put(testkit.Ctx(t), 2); !errors.Is(err, mp.ErrClosed) || q.Len() != 1 {
			t.Error(err, q.Len())
		}
	})
}

func TestQueueCloseFreesWaits(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		for _, now := range []bool{false, true} {
			stop := func(q *mp.Queue[int]) {
				if now {
					q.CloseNow()
				} else {
					q.Close()
				}
			}
			empty, full := k.New(t, 1), k.New(t, 1)
			testkit.MustPut(t, full, 1)
			var gets, puts []chan error
			for range 5 {
				gets = append(gets, begin(get(ctx, empty, 0)))
				puts = append(puts, begin(put(ctx, full, 2)))
			}
			stop(empty)
			stop(full)
			mustEnd(t, mp.ErrClosed, gets...)
			mustEnd(t, mp.ErrClosed, puts...)
			want := 1
			if now {
				want = 0
			}
			if full.Len() != want {
				t.Error(full.Len(), "items, want", want)
			}
		}
	})
}

// A Get that waits while a queue is closed has an item or knows that there will be none.
func TestQueueCloseWhileItIsDrained(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		for range 50 {
			q := k.New(t, 0)
			var n atomic.Int64
			drain := func() error {
				for _, err := range q.All(ctx) {
					if err != nil {
						return err
					}
					n.Add(1)
				}
				return nil
			}
			ends := []chan error{begin(drain), begin(drain), begin(drain)}
			testkit.MustPut(t, q, 1, 2, 3, 4, 5)
			q.Close()
			mustEnd(t, nil, ends...)
			if n.Load() != 5 {
				t.Error(n.Load(), "items")
			}
		}
	})
}

func TestQueueCloseNowDrops(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		for _, closeBefore := range []bool{false, true} {
			q := k.New(t, 0)
			testkit.MustPut(t, q, 1, 2, 3)
			if closeBefore {
				q.Close()
			}
			if n, err := q.CloseNow(); n != 3 || err != nil {
				t.Error(n, err)
			}
			if n, err := q.CloseNow(); n != 0 || err != nil {
				t.Error("again:", n, err)
			}
			if _, err := q.TryGet(); !errors.Is(err, mp.ErrClosed) || q.Len() != 0 {
				t.Error(err, q.Len())
			}
			if err := q.TryPut(1); !errors.Is(err, mp.ErrClosed) {
				t.Error(err)
			}
			q.Close()
			if err := q.Join(testkit.Ctx(t)); err != nil {
				t.Error(err)
			}
		}
	})
}

// Items that were got before CloseNow need their TaskDone; those that it drops do not.
func TestQueueCloseNowAndJoin(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		q := k.New(t, 0)
		testkit.MustPut(t, q, 1, 2, 3)
		if _, err := q.TryGet(); err != nil {
			t.Fatal(err)
		}
		joins := []chan error{begin(func() error { return q.Join(ctx) }), begin(func() error { return q.Join(ctx) })}
		if n, err := q.CloseNow(); n != 2 || err != nil {
			t.Error(n, err)
		}
		short, cancel := context.WithCancel(ctx)
		one := begin(func() error { return q.Join(short) })
		cancel()
		mustEnd(t, context.Canceled, one)
		if err := q.TaskDone(); err != nil {
			t.Error(err)
		}
		mustEnd(t, nil, joins...)
		if err := q.TaskDone(); !errors.Is(err, mp.ErrNotOwner) {
			t.Error(err)
		}
	})
}

func TestQueueCloseNowFreesJoins(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		q := k.New(t, 0)
		testkit.MustPut(t, q, 1, 2)
		join := begin(func() error { return q.Join(ctx) })
		if n, err := q.CloseNow(); n != 2 || err != nil {
			t.Error(n, err)
		}
		mustEnd(t, nil, join)
	})
}

// While the queue is open a Join waits for items that are put meanwhile, as it does after Close
// for those that are in it.
func TestQueueCloseAndJoin(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		q := k.New(t, 0)
		testkit.MustPut(t, q, 1)
		join := begin(func() error { return q.Join(ctx) })
		testkit.MustPut(t, q, 2)
		q.Close()
		for _, err := range q.All(ctx) {
			select {
			case end := <-join:
				t.Error("Join came before its time:", end)
			default:
			}
			if err != nil || q.TaskDone() != nil {
				t.Error(err)
			}
		}
		mustEnd(t, nil, join)
	})
}
