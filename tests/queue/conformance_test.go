package queue_test

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// onQueues runs a test for each kind of queue.
func onQueues(t *testing.T, test func(t *testing.T, k testkit.QueueKind)) {
	t.Parallel()
	for _, k := range testkit.QueueKinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// begin calls f in a goroutine, which has most likely come to wait when begin returns.
func begin(f func() error) chan error {
	end := make(chan error, 1)
	go func() { end <- f() }()
	for range 10 {
		runtime.Gosched()
	}
	return end
}

func get(ctx context.Context, q *mp.Queue[int], want int) func() error {
	return func() error {
		v, err := q.Get(ctx)
		if err == nil && v != want {
			return errors.New("got another item")
		}
		return err
	}
}

func put(ctx context.Context, q *mp.Queue[int], v int) func() error {
	return func() error { return q.Put(ctx, v) }
}

func TestQueueFillsAndDrains(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		q := k.New(t, 3)
		var in []int
		for i, v := range []int{111, 333, 222} {
			if q.Len() != i || q.Cap() != 3 || q.Empty() != (i == 0) || q.Full() {
				t.Error(i, q.Len(), q.Cap(), q.Empty(), q.Full())
			}
			testkit.MustPut(t, q, v)
			in = append(in, v)
		}
		if !q.Full() || q.Len() != 3 {
			t.Error(q.Full(), q.Len())
		}
		if err := q.TryPut(4); err != mp.ErrFull {
			t.Error(err)
		}
		for len(in) > 0 {
			at := k.Next(in)
			if v, err := q.TryGet(); v != in[at] || err != nil {
				t.Error(v, err, "want", in[at])
			}
			in = slices.Delete(in, at, at+1)
		}
		if _, err := q.TryGet(); err != mp.ErrEmpty || !q.Empty() {
			t.Error(err)
		}
	})
}

func TestQueueOfNoBound(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		for _, capacity := range []int{mp.Unbounded, -1} {
			q := k.New(t, capacity)
			for i := range 5000 {
				testkit.MustPut(t, q, i)
			}
			if q.Cap() != 0 || q.Len() != 5000 || q.Full() {
				t.Error(q.Cap(), q.Len(), q.Full())
			}
		}
	})
}

func TestQueueDeadlines(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		q := k.New(t, 1)
		late := func() context.Context {
			ctx, cancel := context.WithTimeout(testkit.Ctx(t), 5*time.Millisecond)
			t.Cleanup(cancel)
			return ctx
		}
		if _, err := q.Get(late()); !errors.Is(err, mp.ErrEmpty) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, mp.ErrFull) {
			t.Error(err)
		}
		testkit.MustPut(t, q, 1)
		if err := q.Put(late(), 2); !errors.Is(err, mp.ErrFull) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, mp.ErrEmpty) {
			t.Error(err)
		}
		if err := q.Join(late()); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if v, err := q.TryGet(); v != 1 || err != nil || q.Len() != 0 {
			t.Error(v, err, q.Len())
		}
	})
}

func TestQueueWaitsThatAreCancelled(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		q := k.New(t, 1)
		ctx, cancel := context.WithCancel(testkit.Ctx(t))
		ends := []chan error{begin(get(ctx, q, 0)), begin(get(ctx, q, 0))}
		cancel()
		mustEnd(t, context.Canceled, ends...)
		testkit.MustPut(t, q, 1)
		ctx, cancel = context.WithCancel(testkit.Ctx(t))
		ends = []chan error{begin(put(ctx, q, 2)), begin(put(ctx, q, 3)), begin(func() error { return q.Join(ctx) })}
		cancel()
		mustEnd(t, context.Canceled, ends...)
		if v, err := q.TryGet(); v != 1 || err != nil || q.Len() != 0 {
			t.Error(v, err, q.Len())
		}
	})
}

func mustEnd(t *testing.T, want error, ends ...chan error) {
	t.Helper()
	for i, end := range ends {
		if err := <-end; !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("number %d ended with %v, want %v", i, err, want)
		}
	}
}

func TestQueueGetWaitsForAPut(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		q := k.New(t, 1)
		for i := range 20 {
			end := begin(get(ctx, q, i))
			testkit.MustPut(t, q, i)
			mustEnd(t, nil, end)
		}
	})
}

func TestQueuePutWaitsForAGet(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		q := k.New(t, 1)
		testkit.MustPut(t, q, 0)
		for i := range 20 {
			end := begin(put(ctx, q, i+1))
			if v, err := q.TryGet(); v != i || err != nil {
				t.Error(v, err)
			}
			mustEnd(t, nil, end)
		}
	})
}

func TestQueueMovesEachItemOnce(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		const workers, each = 4, 2000
		for _, capacity := range []int{1, 7, mp.Unbounded} {
			ctx := testkit.Ctx(t)
			q := k.New(t, capacity)
			var producers, consumers sync.WaitGroup
			var got [workers * each]atomic.Int32
			for w := range workers {
				producers.Go(func() {
					for i := range each {
						if err := q.Put(ctx, w*each+i); err != nil {
							t.Error(err)
						}
					}
				})
				consumers.Go(func() {
					for v, err := range q.All(ctx) {
						if err != nil {
							t.Error(err)
							return
						}
						got[v].Add(1)
					}
				})
			}
			producers.Wait()
			q.Close()
			consumers.Wait()
			for v := range got {
				if n := got[v].Load(); n != 1 {
					t.Fatalf("capacity %d: item %d came %d times", capacity, v, n)
				}
			}
		}
	})
}

// Whoever puts finds his items in their order.
func TestQueueKeepsTheOrderOfEach(t *testing.T) {
	t.Parallel()
	for _, k := range testkit.QueueKinds() {
		if k.Next([]int{2, 1}) != 0 || k.Next([]int{1, 2}) != 0 {
			continue // it has another order
		}
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			const each = 3000
			ctx := testkit.Ctx(t)
			q := k.New(t, 5)
			for w := range 3 {
				go func() {
					for i := range each {
						q.Put(ctx, w*each+i)
					}
				}()
			}
			var next [3]int
			for range 3 * each {
				v, err := q.Get(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if w := v / each; v%each != next[w] {
					t.Fatalf("item %d of %d, want %d", v%each, w, next[w])
				}
				next[v/each]++
			}
		})
	}
}

// A Put or Get that fails because its ctx ends at that very moment has had no effect.
func TestQueueLosesNothingWhenAWaitEnds(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		for _, capacity := range []int{1, 3} {
			all := testkit.Ctx(t)
			q := k.New(t, capacity)
			var put, got atomic.Int64
			var wait sync.WaitGroup
			hurried := func(i int, f func(context.Context) error) {
				ctx, cancel := context.WithTimeout(all, time.Duration(i%7)*10*time.Microsecond)
				defer cancel()
				if err := f(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			}
			for range 3 {
				wait.Go(func() {
					for i := range 500 {
						hurried(i, func(ctx context.Context) error {
							err := q.Put(ctx, 1)
							if err == nil {
								put.Add(1)
							}
							return err
						})
					}
				})
				wait.Go(func() {
					for i := range 500 {
						hurried(i, func(ctx context.Context) error {
							v, err := q.Get(ctx)
							got.Add(int64(v))
							return err
						})
					}
				})
			}
			wait.Wait()
			if put.Load() != got.Load()+int64(q.Len()) {
				t.Errorf("%d were put, %d were got, %d are there", put.Load(), got.Load(), q.Len())
			}
		}
	})
}

func TestQueueAllEndsEarly(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		q := k.New(t, 0)
		testkit.MustPut(t, q, 7, 7, 7)
		for v, err := range q.All(testkit.Ctx(t)) {
			if v != 7 || err != nil {
				t.Error(v, err)
			}
			break
		}
		if q.Len() != 2 {
			t.Error("a loop that was left took more:", q.Len())
		}
	})
}

func TestQueueSelect(t *testing.T) {
	onQueues(t, func(t *testing.T, k testkit.QueueKind) {
		ctx := testkit.Ctx(t)
		a, b := k.New(t, 1), k.New(t, 1)
		expect := func(want ...int) {
			t.Helper()
			if ready, err := mp.Select(ctx, a, b); err != nil || !slices.Equal(ready, want) {
				t.Error(ready, err, "want", want)
			}
		}
		put := begin(func() error { return b.Put(ctx, 1) })
		expect(1)
		mustEnd(t, nil, put)
		testkit.MustPut(t, a, 1)
		expect(0, 1)
		_, err := b.TryGet()
		expect(0)
		_, err2 := a.TryGet()
		if err := cmp.Or(err, err2); err != nil {
			t.Error(err)
		}
		short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		if ready, err := mp.Select(short, a, b); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(ready, err)
		}
		closed := begin(func() error { return a.Close() })
		expect(0)
		mustEnd(t, nil, closed)
	})
}

func TestQueueThatWasNotMade(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	var none *mp.Queue[int]
	for _, q := range []*mp.Queue[int]{none, new(mp.Queue[int])} {
		if _, err := q.TryGet(); err == nil || q.Put(ctx, 1) == nil || q.Len() != 0 || q.Cap() != 0 || q.Full() || q.Close() == nil {
			t.Error("a queue that was not made by NewQueue")
		}
		if _, err := q.CloseNow(); err == nil || q.TaskDone() == nil || q.Join(ctx) == nil {
			t.Error("a queue that was not made by NewQueue")
		}
	}
}
