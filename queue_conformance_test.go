package mp_test

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
	"github.com/gomultiprocessing/mp/thread"
)

// queueKind is one of the queues of which what this file tests must be true.
type queueKind struct {
	name string
	make func(capacity int) (*mp.Queue[int], error)
	next func(items []int) int // the place of the one to get, in the order of coming
}

func byPriority(capacity int) (*mp.Queue[int], error) {
	return thread.NewPriorityQueue(capacity, func(a, b int) bool { return a < b })
}

func queueKinds() []queueKind {
	oldest := func([]int) int { return 0 }
	newest := func(items []int) int { return len(items) - 1 }
	least := func(items []int) int { return slices.Index(items, slices.Min(items)) }
	kinds := []queueKind{
		{"goroutines", thread.NewQueue[int], oldest},
		{"a byte pipe", newRemoteQueue[int], oldest},
		{"goroutines, the newest first", thread.NewLIFOQueue[int], newest},
		{"goroutines, the least first", byPriority, least},
	}
	if runtime.GOOS == "linux" {
		kinds = append(kinds, queueKind{"processes", mp.NewQueue[int], oldest})
	}
	return kinds
}

func (k queueKind) new(t testing.TB, capacity int) *mp.Queue[int] {
	t.Helper()
	q, err := k.make(capacity)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// onQueues runs a test for each kind of queue.
func onQueues(t *testing.T, test func(t *testing.T, k queueKind)) {
	t.Parallel()
	for _, k := range queueKinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// queueCtx is longer than what should happen at once takes.
func queueCtx(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// mustPut puts items that there is room for.
func mustPut(t testing.TB, q *mp.Queue[int], items ...int) {
	t.Helper()
	for _, v := range items {
		if err := q.TryPut(v); err != nil {
			t.Fatal(v, err)
		}
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
	onQueues(t, func(t *testing.T, k queueKind) {
		q := k.new(t, 3)
		var in []int
		for i, v := range []int{111, 333, 222} {
			if q.Len() != i || q.Cap() != 3 || q.Empty() != (i == 0) || q.Full() {
				t.Error(i, q.Len(), q.Cap(), q.Empty(), q.Full())
			}
			mustPut(t, q, v)
			in = append(in, v)
		}
		if !q.Full() || q.Len() != 3 {
			t.Error(q.Full(), q.Len())
		}
		if err := q.TryPut(4); err != mp.ErrFull {
			t.Error(err)
		}
		for len(in) > 0 {
			at := k.next(in)
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
	onQueues(t, func(t *testing.T, k queueKind) {
		for _, capacity := range []int{mp.Unbounded, -1} {
			q := k.new(t, capacity)
			for i := range 5000 {
				mustPut(t, q, i)
			}
			if q.Cap() != 0 || q.Len() != 5000 || q.Full() {
				t.Error(q.Cap(), q.Len(), q.Full())
			}
		}
	})
}

func TestQueueDeadlines(t *testing.T) {
	onQueues(t, func(t *testing.T, k queueKind) {
		q := k.new(t, 1)
		late := func() context.Context {
			ctx, cancel := context.WithTimeout(queueCtx(t), 5*time.Millisecond)
			t.Cleanup(cancel)
			return ctx
		}
		if _, err := q.Get(late()); !errors.Is(err, mp.ErrEmpty) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, mp.ErrFull) {
			t.Error(err)
		}
		mustPut(t, q, 1)
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
	onQueues(t, func(t *testing.T, k queueKind) {
		q := k.new(t, 1)
		ctx, cancel := context.WithCancel(queueCtx(t))
		ends := []chan error{begin(get(ctx, q, 0)), begin(get(ctx, q, 0))}
		cancel()
		mustEnd(t, context.Canceled, ends...)
		mustPut(t, q, 1)
		ctx, cancel = context.WithCancel(queueCtx(t))
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
	onQueues(t, func(t *testing.T, k queueKind) {
		ctx := queueCtx(t)
		q := k.new(t, 1)
		for i := range 20 {
			end := begin(get(ctx, q, i))
			mustPut(t, q, i)
			mustEnd(t, nil, end)
		}
	})
}

func TestQueuePutWaitsForAGet(t *testing.T) {
	onQueues(t, func(t *testing.T, k queueKind) {
		ctx := queueCtx(t)
		q := k.new(t, 1)
		mustPut(t, q, 0)
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
	onQueues(t, func(t *testing.T, k queueKind) {
		const workers, each = 4, 2000
		for _, capacity := range []int{1, 7, mp.Unbounded} {
			ctx := queueCtx(t)
			q := k.new(t, capacity)
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
	for _, k := range queueKinds() {
		if k.next([]int{2, 1}) != 0 || k.next([]int{1, 2}) != 0 {
			continue // it has another order
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			const each = 3000
			ctx := queueCtx(t)
			q := k.new(t, 5)
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
	onQueues(t, func(t *testing.T, k queueKind) {
		for _, capacity := range []int{1, 3} {
			all := queueCtx(t)
			q := k.new(t, capacity)
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
	onQueues(t, func(t *testing.T, k queueKind) {
		q := k.new(t, 0)
		mustPut(t, q, 7, 7, 7)
		for v, err := range q.All(queueCtx(t)) {
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
	onQueues(t, func(t *testing.T, k queueKind) {
		ctx := queueCtx(t)
		a, b := k.new(t, 1), k.new(t, 1)
		expect := func(want ...int) {
			t.Helper()
			if ready, err := mp.Select(ctx, a, b); err != nil || !slices.Equal(ready, want) {
				t.Error(ready, err, "want", want)
			}
		}
		put := begin(func() error { return b.Put(ctx, 1) })
		expect(1)
		mustEnd(t, nil, put)
		mustPut(t, a, 1)
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
	ctx := queueCtx(t)
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
