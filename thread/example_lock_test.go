package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp/thread"
)

// One thread has the lock while it works. Another one that asks meanwhile, and does not want
// to wait, goes away without.
func ExampleNewLock() {
	ctx := context.Background()
	lock, err := thread.NewLock()
	if err != nil {
		log.Fatal(err)
	}
	work := func(ctx context.Context) error {
		h, err := lock.Acquire(ctx)
		if err != nil {
			return err
		}
		defer h.Release()
		fmt.Println("acquired:", lock.Locked())
		fmt.Println("执行操作")
		other, err := thread.Start(ctx, "other", func(context.Context) error {
			_, ok := lock.TryAcquire()
			fmt.Println("acquired meanwhile:", ok)
			return nil
		})
		if err != nil {
			return err
		}
		return other.Join(ctx)
	}
	t, err := thread.Start(ctx, "worker", work)
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Join(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("acquired at the end:", lock.Locked())
	// Output:
	// acquired: true
	// 执行操作
	// acquired meanwhile: false
	// acquired at the end: false
}

// A function that has the lock calls another that needs it too: under the ctx of the first
// one it nests.
func ExampleNewRLock() {
	lock, err := thread.NewRLock()
	if err != nil {
		log.Fatal(err)
	}
	balance := 0
	add := func(ctx context.Context, n int) error {
		_, h, err := lock.Acquire(ctx)
		if err != nil {
			return err
		}
		defer h.Release()
		balance += n
		return nil
	}
	move := func(ctx context.Context, n int) error {
		ctx, h, err := lock.Acquire(ctx)
		if err != nil {
			return err
		}
		defer h.Release()
		if err := add(ctx, -n); err != nil {
			return err
		}
		return add(ctx, n)
	}
	fmt.Println(move(context.Background(), 10), balance, lock.Locked())
	// Output: <nil> 0 false
}
