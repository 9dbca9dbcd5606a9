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

// A pool of goroutines takes closures. Nothing is copied, and mp.Main is not needed.
func ExampleNewPool() {
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 4})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	offset := 100
	add := thread.Func(func(_ context.Context, n int) (int, error) { return n + offset, nil })
	fmt.Println(mp.Map(context.Background(), pool, add, []int{1, 2, 3}))
	// Output:
	// [101 102 103] <nil>
}

// A task that does not stop in time has its outcome all the same. Its goroutine goes on, and is
// counted as long as it does.
func ExampleNewPool_timeout() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	done := make(chan struct{})
	defer close(done)
	endless := thread.Func(func(context.Context, mp.None) (mp.None, error) {
		<-done // it does not look at its ctx
		return mp.None{}, nil
	})
	_, err = mp.Apply(ctx, pool, endless, mp.None{}, mp.Timeout(10*time.Millisecond))
	fmt.Println(errors.Is(err, context.DeadlineExceeded), pool.Stats().Stuck)

	double := thread.Func(func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	fmt.Println(mp.Apply(ctx, pool, double, 21)) // another goroutine has its place
	// Output:
	// true 1
	// 42 <nil>
}

// A task may call its own pool. What it waits for runs in its place, so that one worker is enough.
func ExampleNewPool_nested() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	var fib *mp.Func[int, int]
	fib = thread.Func(func(ctx context.Context, n int) (int, error) {
		if n < 2 {
			return n, nil
		}
		two, err := mp.Map(ctx, pool, fib, []int{n - 1, n - 2})
		if err != nil {
			return 0, err
		}
		return two[0] + two[1], nil
	})
	fmt.Println(mp.Apply(ctx, pool, fib, 10))
	// Output:
	// 55 <nil>
}

// With Encode a pool of goroutines gives tasks copies, as one of processes does, and refuses
// what could not travel: to test on goroutines what is to run on processes.
func ExampleNewPool_encode() {
	ctx := context.Background()
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 2, Encode: true})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	type job struct {
		Name string
		Next any
	}
	rename := thread.Func(func(_ context.Context, j *job) (string, error) {
		j.Name = "changed"
		return j.Name, nil
	})
	mine := &job{Name: "mine"}
	fmt.Println(mp.Apply(ctx, pool, rename, mine))
	fmt.Println(mine.Name)
	_, err = mp.Apply(ctx, pool, rename, &job{Next: make(chan int)})
	fmt.Println(err != nil)
	// Output:
	// changed <nil>
	// mine
	// true
}

// A Func of thread.Func is for goroutines of this process: no other one knows it.
func ExampleFunc() {
	greeting := "hello"
	greet := thread.Func(func(_ context.Context, name string) (string, error) {
		return greeting + ", " + name, nil
	})
	pool, err := thread.NewPool(mp.PoolConfig{Workers: 2, TasksPerWorker: 100})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	fmt.Println(mp.Apply(context.Background(), pool, greet, "world"))

	_, err = mp.Start(context.Background(), greet, "process")
	fmt.Println(errors.Is(err, mp.ErrNotRegistered))
	// Output:
	// hello, world <nil>
	// true
}
