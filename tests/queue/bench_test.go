//go:build linux

package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// queueLoad is what a child does for a benchmark.
type queueLoad[T any] struct {
	From, To *mp.Queue[T]
	N        int
}

// drain gets n items, and puts the last one back to report it.
func drain[T any](ctx context.Context, l queueLoad[T]) (mp.None, error) {
	var last T
	for range l.N {
		v, err := l.From.Get(ctx)
		if err != nil {
			return mp.None{}, err
		}
		last = v
	}
	return mp.None{}, l.To.Put(ctx, last)
}

// supply waits for the first item and puts it n times.
func supply[T any](ctx context.Context, l queueLoad[T]) (mp.None, error) {
	v, err := l.From.Get(ctx)
	for i := 0; i < l.N && err == nil; i++ {
		err = l.To.Put(ctx, v)
	}
	return mp.None{}, err
}

// echo puts back what it gets.
func echoQueue[T any](ctx context.Context, l queueLoad[T]) (mp.None, error) {
	for v, err := range l.From.All(ctx) {
		if err == nil {
			err = l.To.Put(ctx, v)
		}
		if err != nil {
			return mp.None{}, err
		}
	}
	return mp.None{}, nil
}

var (
	drainInts   = mp.Register("queue/drain/int", drain[int])
	drainBytes  = mp.Register("queue/drain/bytes", drain[[]byte])
	supplyInts  = mp.Register("queue/supply/int", supply[int])
	supplyBytes = mp.Register("queue/supply/bytes", supply[[]byte])
	echoInts    = mp.Register("queue/echo/int", echoQueue[int])
)

func BenchmarkQueueInts(b *testing.B) {
	for _, capacity := range []int{mp.Unbounded, 1000} {
		b.Run(fmt.Sprint("1to1/capacity", capacity), func(b *testing.B) {
			streamQueue(b, 1, capacity, 7, supplyInts, drainInts)
		})
		b.Run(fmt.Sprint("2to2/capacity", capacity), func(b *testing.B) {
			streamQueue(b, 2, capacity, 7, supplyInts, drainInts)
		})
	}
}

func BenchmarkQueue64KiB(b *testing.B) {
	v := make([]byte, 64<<10)
	b.SetBytes(int64(len(v)))
	for _, capacity := range []int{mp.Unbounded, 10} {
		b.Run(fmt.Sprint("capacity", capacity), func(b *testing.B) {
			b.SetBytes(int64(len(v)))
			streamQueue(b, 1, capacity, v, supplyBytes, drainBytes)
		})
	}
}

// streamQueue measures how long n producers and n consumers, each a process, need.
func streamQueue[T any](b *testing.B, n, capacity int, v T, in, out *mp.Func[queueLoad[T], mp.None]) {
	ctx := context.Background()
	start, end, q := testkit.NewQueue[T](b, 0), testkit.NewQueue[T](b, 0), testkit.NewQueue[T](b, capacity)
	each := (b.N + n - 1) / n
	for range n {
		for _, err := range []error{
			second(mp.Start(ctx, out, queueLoad[T]{From: q, To: end, N: each})),
			second(mp.Start(ctx, in, queueLoad[T]{From: start, To: q, N: each})),
		} {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ResetTimer()
	for range n {
		if err := start.Put(ctx, v); err != nil {
			b.Fatal(err)
		}
	}
	for range n {
		if _, err := end.Get(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := mp.JoinAll(ctx); err != nil {
		b.Fatal(err)
	}
}

func second[A any](_ A, err error) error { return err }

func BenchmarkQueueRoundTrip(b *testing.B) {
	ctx := context.Background()
	to, from := testkit.NewQueue[int](b, 0), testkit.NewQueue[int](b, 0)
	if _, err := mp.Start(ctx, echoInts, queueLoad[int]{From: to, To: from}); err != nil {
		b.Fatal(err)
	}
	round := func() {
		if err := errors.Join(to.Put(ctx, 1), second(from.Get(ctx))); err != nil {
			b.Fatal(err)
		}
	}
	round()
	for b.Loop() {
		round()
	}
	to.Close()
	if err := mp.JoinAll(ctx); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkQueueAlone is a put and a get without anybody else.
func BenchmarkQueueAlone(b *testing.B) {
	ctx := context.Background()
	q := testkit.NewQueue[int](b, 0)
	b.ReportAllocs()
	for b.Loop() {
		if err := errors.Join(q.Put(ctx, 1), second(q.Get(ctx))); err != nil {
			b.Fatal(err)
		}
	}
}
