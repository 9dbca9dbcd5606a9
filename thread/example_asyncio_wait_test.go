package thread_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// asyncio.wait(return_when=FIRST_COMPLETED), and the rest is cancelled.
func ExampleNewPool_wait() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	mirror := thread.Func(func(ctx context.Context, after time.Duration) (string, error) {
		select {
		case <-time.After(after):
			return "the file", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	slow := mp.ApplyAsync(ctx, pool, mirror, time.Hour)
	quick := mp.ApplyAsync(ctx, pool, mirror, 0)

	done, pending := mp.Wait(ctx, mp.FirstDone, slow, quick)
	for _, r := range pending {
		r.Cancel()
	}
	fmt.Println(done[0].Get(ctx))
	_, err = slow.Get(ctx)
	fmt.Println("the other was cancelled:", errors.Is(err, mp.ErrCancelled))
	// Output:
	// the file <nil>
	// the other was cancelled: true
}

// asyncio.as_completed: results as they come, each with its place among the arguments.
func ExampleNewPool_asCompleted() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 3})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	turn := []chan struct{}{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	close(turn[2])
	runner := thread.Func(func(_ context.Context, i int) (string, error) {
		<-turn[i] // this one comes after the one that started later
		return fmt.Sprint("number ", i), nil
	})
	var rs []*mp.Result[string]
	for i := range turn {
		rs = append(rs, mp.ApplyAsync(ctx, pool, runner, i))
	}
	for i, r := range mp.AsCompleted(ctx, rs...) {
		s, err := r.Get(ctx)
		fmt.Println(s, err)
		if i > 0 {
			close(turn[i-1])
		}
	}
	// Output:
	// number 2 <nil>
	// number 1 <nil>
	// number 0 <nil>
}
