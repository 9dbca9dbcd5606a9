package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp"
)

const (
	bigItem  = 64 << 10
	queue64K = 8 // capacity of a queue of big items: in one without a bound a fast producer fills the memory
)

// feed tells a producer what to put, drain a consumer what to take.
type feed[T any] struct {
	Queue *mp.Queue[T]
	N     int
	Item  T
}

type drain[T any] struct {
	Queue   *mp.Queue[T]
	Warm, N int
}

// taken is when a consumer took its first item after the warm-up, and its last, in
// nanoseconds of the clock that all processes share.
type taken struct{ Begun, Ended int64 }

// taking is what all consumers took.
type taking struct {
	mu   sync.Mutex
	each []taken
}

func (t *taking) add(one taken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.each = append(t.each, one)
}

// rate is for n items from the first consumer's first to the last one's last.
func (t *taking) rate(n int) figures {
	first := slices.MinFunc(t.each, func(a, b taken) int { return int(a.Begun - b.Begun) })
	last := slices.MaxFunc(t.each, func(a, b taken) int { return int(a.Ended - b.Ended) })
	return figures{"rate": float64(n) / time.Duration(last.Ended-first.Begun).Seconds()}
}

// stream is a producer and a consumer of one type of item.
type stream[T any] struct {
	produce *mp.Func[feed[T], mp.None]
	consume *mp.Func[drain[T], taken]
}

var (
	intStream  = newStream[int]("ints")
	byteStream = newStream[[]byte]("bytes")
)

func newStream[T any](name string) stream[T] {
	return stream[T]{
		produce: mp.Register("produce "+name, func(ctx context.Context, f feed[T]) (mp.None, error) {
			for range f.N {
				if err := f.Queue.Put(ctx, f.Item); err != nil {
					return mp.None{}, err
				}
			}
			return mp.None{}, nil
		}),
		consume: mp.Register("consume "+name, func(ctx context.Context, d drain[T]) (taken, error) {
			if err := take(ctx, d.Queue, d.Warm); err != nil {
				return taken{}, err
			}
			begun := time.Now()
			err := take(ctx, d.Queue, d.N)
			return taken{begun.UnixNano(), time.Now().UnixNano()}, err
		}),
	}
}

func take[T any](ctx context.Context, q *mp.Queue[T], n int) error {
	for range n {
		if _, err := q.Get(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measureQueue11 is ints from one process to another.
func measureQueue11(ctx context.Context, n int) (figures, error) {
	return intStream.rate(ctx, n, 1, mp.Unbounded, 1)
}

// measureQueue22 is ints from two processes to two others.
func measureQueue22(ctx context.Context, n int) (figures, error) {
	return intStream.rate(ctx, n, 2, mp.Unbounded, 1)
}

// measureQueue64K is 64 KiB from one process to another.
func measureQueue64K(ctx context.Context, n int) (figures, error) {
	return byteStream.rate(ctx, n, 1, queue64K, make([]byte, bigItem))
}

// rate is that of n items through one queue, by so many producers and as many
// consumers, each a process.
func (s stream[T]) rate(ctx context.Context, n, pairs, capacity int, item T) (figures, error) {
	q, err := mp.NewQueue[T](capacity)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var took taking
	var wg sync.WaitGroup
	each, warm := n/pairs, n/10/pairs
	errs := make([]error, 2*pairs)
	tell := func(i int, err error) {
		if errs[i] = err; err != nil {
			cancel() // the others would wait for ever
		}
	}
	for i := range pairs {
		wg.Go(func() {
			_, err := mp.Call(ctx, s.produce, feed[T]{q, warm + each, item})
			tell(i, err)
		})
		wg.Go(func() {
			one, err := mp.Call(ctx, s.consume, drain[T]{q, warm, each})
			took.add(one)
			tell(pairs+i, err)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if left := q.Len(); left != 0 {
		return nil, fmt.Errorf("%d items are left over", left)
	}
	return took.rate(each * pairs), nil
}

// queues are two queues to a child that sends back what it gets; less than 0 ends it.
type queues struct{ There, Back *mp.Queue[int] }

var (
	queueEcho = mp.Register("queue echo", func(ctx context.Context, q queues) (mp.None, error) {
		for {
			v, err := q.There.Get(ctx)
			if err != nil || v < 0 {
				return mp.None{}, err
			}
			if err := q.Back.Put(ctx, v); err != nil {
				return mp.None{}, err
			}
		}
	})
	pipeEcho = mp.Register("pipe echo", func(ctx context.Context, c *mp.Conn[int]) (mp.None, error) {
		for {
			v, err := c.Recv(ctx)
			if errors.Is(err, io.EOF) {
				return mp.None{}, nil
			}
			if err == nil {
				err = c.Send(ctx, v)
			}
			if err != nil {
				return mp.None{}, err
			}
		}
	})
)

// measureQueueTrip is an int to a child over one queue, and back over another.
func measureQueueTrip(ctx context.Context, n int) (figures, error) {
	there, err := mp.NewQueue[int](mp.Unbounded)
	if err != nil {
		return nil, err
	}
	back, err := mp.NewQueue[int](mp.Unbounded)
	if err != nil {
		return nil, err
	}
	child, err := mp.Start(ctx, queueEcho, queues{there, back})
	if err != nil {
		return nil, err
	}
	f, err := roundTrips(n, func(i int) (int, error) {
		if err := there.Put(ctx, i); err != nil {
			return 0, err
		}
		return back.Get(ctx)
	})
	return f, errors.Join(err, there.Put(ctx, -1), child.Join(ctx))
}

// measurePipeTrip is an int to a child and back over a pipe.
func measurePipeTrip(ctx context.Context, n int) (figures, error) {
	a, b, err := mp.NewPipe[int]()
	if err != nil {
		return nil, err
	}
	child, err := mp.Start(ctx, pipeEcho, b)
	if err != nil {
		return nil, err
	}
	f, err := roundTrips(n, func(i int) (int, error) {
		if err := a.Send(ctx, i); err != nil {
			return 0, err
		}
		return a.Recv(ctx)
	})
	return f, errors.Join(err, a.Close(), child.Join(ctx))
}

// roundTrips are n calls that return what they are given, one at a time.
func roundTrips(n int, trip func(i int) (int, error)) (figures, error) {
	times := make([]float64, 0, n)
	for round := -n / 10; round < n; round++ {
		i := round + n // not below 0
		begun := time.Now()
		out, err := trip(i)
		spent := time.Since(begun).Seconds()
		if err := check(out, i, err); err != nil {
			return nil, err
		}
		if round >= 0 {
			times = append(times, spent)
		}
	}
	slices.Sort(times)
	return figures{"p50": times[n/2], "p99": times[n*99/100]}, nil
}
