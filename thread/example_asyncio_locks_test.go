package thread_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// asyncio.Semaphore: ten downloads, three at once.
func ExampleNewSemaphore_asyncio() {
	ctx := context.Background()
	permits, err := thread.NewSemaphore(3)
	if err != nil {
		log.Fatal(err)
	}
	var now, most, done atomic.Int64
	for range 10 {
		if _, err := thread.Start(ctx, "", func(ctx context.Context) error {
			permit, err := permits.Acquire(ctx)
			if err != nil {
				return err
			}
			defer permit.Release()
			for n := now.Add(1); ; {
				if m := most.Load(); m >= n || most.CompareAndSwap(m, n) {
					break
				}
			}
			now.Add(-1)
			done.Add(1)
			return nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.Load(), "done, more than 3 at once:", most.Load() > 3)
	// Output:
	// 10 done, more than 3 at once: false
}

// asyncio.Lock. Here it is needed wherever two threads change one thing: no await marks
// the places where another one may come in between.
func ExampleNewLock_asyncio() {
	ctx := context.Background()
	lock, err := thread.NewLock()
	if err != nil {
		log.Fatal(err)
	}
	total := 0
	for range 4 {
		if _, err := thread.Start(ctx, "", func(ctx context.Context) error {
			for range 1000 {
				if err := lock.Do(ctx, func(mp.Hold) error { total++; return nil }); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(total)
	// Output:
	// 4000
}

// asyncio.Event: all waiters go on when it is set.
func ExampleNewEvent_asyncio() {
	ctx := context.Background()
	start, err := thread.NewEvent()
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"first", "second"} {
		if _, err := thread.Start(ctx, name, func(ctx context.Context) error {
			if err := start.Wait(ctx); err != nil {
				return err
			}
			fmt.Println(thread.Current(ctx).Name(), "runs")
			return nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("ready, set, go")
	start.Set()
	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// ready, set, go
	// first runs
	// second runs
}

// asyncio.Condition: wait_for a state that somebody else brings about.
func ExampleNewCondition_asyncio() {
	ctx := context.Background()
	changed, err := thread.NewCondition(nil)
	if err != nil {
		log.Fatal(err)
	}
	level := 0
	tank, err := thread.Start(ctx, "tank", func(ctx context.Context) error {
		hold, err := changed.Acquire(ctx)
		if err != nil {
			return err
		}
		hold, err = changed.WaitFor(ctx, hold, func() bool { return level >= 3 })
		if err != nil {
			return err
		}
		defer hold.Release()
		fmt.Println("full at", level)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		hold, err := changed.Acquire(ctx)
		if err != nil {
			log.Fatal(err)
		}
		level++
		if err := changed.NotifyAll(hold); err != nil {
			log.Fatal(err)
		}
		if err := hold.Release(); err != nil {
			log.Fatal(err)
		}
	}
	if err := tank.Join(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// full at 3
}
