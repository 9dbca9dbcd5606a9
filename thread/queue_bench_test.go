package thread_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// intLess is the order of ints.
func intLess(a, b int) bool { return a < b }

// BenchmarkQueue moves ints from as many producers to as many consumers: through a channel
// and through the queues, side by side.
func BenchmarkQueue(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{1, 2, 8} {
		for _, capacity := range []int{1, 128, 4096} {
			name := fmt.Sprintf("%dto%d/capacity%d/", n, n, capacity)
			b.Run(name+"channel", func(b *testing.B) { moveThroughChannel(b, n, capacity) })
			b.Run(name+"queue", func(b *testing.B) {
				q, _ := thread.NewQueue[int](capacity)
				moveThroughQueue(b, n, ctx, q)
			})
			b.Run(name+"ctx/channel", func(b *testing.B) { moveThroughChannelCtx(b, n, capacity) })
			b.Run(name+"ctx/queue", func(b *testing.B) {
				q, _ := thread.NewQueue[int](capacity)
				moveThroughQueue(b, n, b.Context(), q)
			})
			b.Run(name+"lifo", func(b *testing.B) {
				q, _ := thread.NewLIFOQueue[int](capacity)
				moveThroughQueue(b, n, ctx, q)
			})
			b.Run(name+"priority", func(b *testing.B) {
				q, _ := thread.NewPriorityQueue(capacity, intLess)
				moveThroughQueue(b, n, ctx, q)
			})
		}
	}
}

func moveThroughChannel(b *testing.B, n, capacity int) {
	c := make(chan int, capacity)
	move(b, n, func(i int) { c <- i & 7 }, func() { <-c })
}

// moveThroughChannelCtx is the counterpart of a queue and a ctx that may end.
func moveThroughChannelCtx(b *testing.B, n, capacity int) {
	c := make(chan int, capacity)
	done := b.Context().Done()
	move(b, n, func(i int) {
		select {
		case c <- i & 7:
		case <-done:
		}
	}, func() {
		select {
		case <-c:
		case <-done:
		}
	})
}

func moveThroughQueue(b *testing.B, n int, ctx context.Context, q *mp.Queue[int]) {
	move(b, n, func(i int) {
		if err := q.Put(ctx, i&7); err != nil {
			b.Error(err)
		}
	}, func() {
		if _, err := q.Get(ctx); err != nil {
			b.Error(err)
		}
	})
}

// move has n goroutines put b.N items in all, and n others get them.
func move(b *testing.B, n int, put func(int), get func()) {
	var all sync.WaitGroup
	each := (b.N + n - 1) / n
	for range n {
		all.Go(func() {
			for i := range each {
				put(i)
			}
		})
		all.Go(func() {
			for range each {
				get()
			}
		})
	}
	all.Wait()
}

// BenchmarkQueueAlone is a put and a get without anybody else.
func BenchmarkQueueAlone(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		c := make(chan int, 1)
		for b.Loop() {
			c <- 1
			<-c
		}
	})
	b.Run("queue", func(b *testing.B) {
		ctx := context.Background()
		q, _ := thread.NewQueue[int](1)
		b.ReportAllocs()
		for b.Loop() {
			q.Put(ctx, 1)
			q.Get(ctx)
		}
	})
}

// BenchmarkQueueRoundTrip is a value to another goroutine and back, so that each Get waits.
func BenchmarkQueueRoundTrip(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		to, from := make(chan int, 1), make(chan int, 1)
		go func() {
			defer close(from)
			for v := range to {
				from <- v
			}
		}()
		for b.Loop() {
			to <- 1
			<-from
		}
		close(to)
		<-from
	})
	b.Run("queue", func(b *testing.B) {
		ctx := context.Background()
		to, _ := thread.NewQueue[int](1)
		from, _ := thread.NewQueue[int](1)
		go func() {
			defer from.Close()
			for v, err := range to.All(ctx) {
				if err == nil {
					from.Put(ctx, v)
				}
			}
		}()
		b.ReportAllocs()
		for b.Loop() {
			to.Put(ctx, 1)
			from.Get(ctx)
		}
		to.Close()
		from.Get(ctx)
	})
}
