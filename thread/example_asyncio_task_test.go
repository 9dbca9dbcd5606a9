package thread_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// asyncio.create_task and await: what the thread makes, it leaves in a variable, and Join
// comes before it is read.
func ExampleStart_createTask() {
	ctx := context.Background()
	var answer int
	task, err := thread.Start(ctx, "deep thought", func(context.Context) error {
		answer = 6 * 7
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := task.Join(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
	// Output:
	// 42
}

// asyncio.TaskGroup: the first failure ends the others, and the group is left when all have
// ended.
func ExampleStart_taskGroup() {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var group []*thread.Thread
	for _, price := range []int{3, 5, -1} {
		task, err := thread.Start(ctx, fmt.Sprint("price ", price), func(ctx context.Context) error {
			if price < 0 {
				err := errors.New("a price below zero")
				cancel(err)
				return err
			}
			<-ctx.Done() // work that would never end
			return ctx.Err()
		})
		if err != nil {
			break // the group has failed already; what was started is ending
		}
		group = append(group, task)
	}
	for _, task := range group {
		task.Join(context.WithoutCancel(ctx)) // the cause says more
	}
	fmt.Println(context.Cause(ctx))
	// Output:
	// a price below zero
}

// asyncio.current_task and asyncio.all_tasks.
func ExampleEnumerate_allTasks() {
	ctx := context.Background()
	for _, name := range []string{"download", "index"} {
		if _, err := thread.Start(ctx, name, func(ctx context.Context) error {
			<-ctx.Done()
			fmt.Println(thread.Current(ctx).Name(), "ends")
			return nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	for _, t := range thread.Enumerate() {
		fmt.Println(t.Name(), "lives")
		t.Cancel()
	}
	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// MainThread lives
	// download lives
	// index lives
	// download ends
	// index ends
}

// asyncio.sleep ends with the task that sleeps, and so does this one.
func ExampleStart_sleep() {
	sleep := func(ctx context.Context, d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ctx := context.Background()
	slept := make(chan struct{})
	task, err := thread.Start(ctx, "sleeper", func(ctx context.Context) error {
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		fmt.Println("slept a little")
		close(slept)
		return sleep(ctx, time.Hour)
	})
	if err != nil {
		log.Fatal(err)
	}
	<-slept
	thread.After(time.Millisecond, task.Cancel) // loop.call_later
	fmt.Println(task.Join(ctx))
	// Output:
	// slept a little
	// context canceled
}
