package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// loop.run_in_executor and asyncio.to_thread. Any goroutine may block, so a pool is needed only
// to bound how many do: here two.
func ExampleNewPool_runInExecutor() {
	ctx := context.Background()
	executor, err := thread.NewPool(mp.PoolConfig{Name: "lookups", Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer executor.Close()
	lookup := thread.Func(func(_ context.Context, host string) (int, error) {
		return len(host), nil // something that blocks
	})
	result := mp.ApplyAsync(ctx, executor, lookup, "example.org")
	fmt.Println("meanwhile")
	fmt.Println(result.Get(ctx))
	// Output:
	// meanwhile
	// 11 <nil>
}

// future.add_done_callback.
func ExampleNewPool_doneCallback() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	double := thread.Func(func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	mp.ApplyAsync(ctx, pool, double, 21).OnDone(func(n int, err error) { fmt.Println("done:", n, err) })
	if err := pool.Shutdown(ctx); err != nil { // returns after the callback
		log.Fatal(err)
	}
	// Output:
	// done: 42 <nil>
}
