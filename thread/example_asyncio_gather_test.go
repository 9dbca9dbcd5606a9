package thread_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// asyncio.gather(*map(f, inputs)): the outputs in the order of the inputs.
func ExampleNewPool_gather() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 3})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	length := thread.Func(func(_ context.Context, s string) (int, error) { return len(s), nil })
	fmt.Println(mp.Map(ctx, pool, length, []string{"a", "bb", "ccc"}))
	// Output:
	// [1 2 3] <nil>
}

// asyncio.gather of different coroutines: a Result for each, and Get in any order.
func ExampleNewPool_gatherDifferent() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	user := thread.Func(func(_ context.Context, id int) (string, error) { return fmt.Sprint("user ", id), nil })
	orders := thread.Func(func(_ context.Context, id int) ([]int, error) { return []int{id * 10, id*10 + 1}, nil })

	u, o := mp.ApplyAsync(ctx, pool, user, 7), mp.ApplyAsync(ctx, pool, orders, 7)
	fmt.Println(u.Get(ctx))
	fmt.Println(o.Get(ctx))
	// Output:
	// user 7 <nil>
	// [70 71] <nil>
}

// asyncio.gather(return_exceptions=True): all are waited for, and the error lists those that failed.
// With mp.FailFast the first failure cancels the rest, as in a TaskGroup.
func ExampleNewPool_gatherExceptions() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 3})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	inverse := thread.Func(func(_ context.Context, n int) (int, error) {
		if n < 0 {
			return 0, errors.New("below zero")
		}
		return 60 / n, nil // panics for 0, and the pool goes on
	})
	outputs, err := mp.Map(ctx, pool, inverse, []int{3, -1, 0, 5})
	fmt.Println(outputs)
	var failures *mp.MapError
	if errors.As(err, &failures) {
		for _, f := range failures.Errs {
			text, _, _ := strings.Cut(f.Err.Error(), " (") // where a panic was
			fmt.Println(f.Index, text)
		}
	}
	// Output:
	// [20 0 0 12]
	// 1 below zero
	// 2 mp: panic: integer divide by zero
}
