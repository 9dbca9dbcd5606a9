package thread_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// task.cancel, and CancelledError with something to tidy up.
func ExampleStart_cancellation() {
	ctx := context.Background()
	begun := make(chan struct{})
	task, err := thread.Start(ctx, "copy", func(ctx context.Context) error {
		defer fmt.Println("the half-written file is removed")
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		log.Fatal(err)
	}
	<-begun
	task.Cancel()
	err = task.Join(ctx)
	fmt.Println("cancelled:", errors.Is(err, context.Canceled))
	// Output:
	// the half-written file is removed
	// cancelled: true
}

// asyncio.wait_for: the deadline stands in the ctx, and whoever is given that ctx obeys it.
func ExampleStart_waitFor() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	task, err := thread.Start(ctx, "eternity", func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err != nil {
		log.Fatal(err)
	}
	err = task.Join(context.Background()) // waits for the end, as wait_for does
	fmt.Println("timed out:", errors.Is(err, context.DeadlineExceeded))
	// Output:
	// timed out: true
}

// asyncio.shield: the waiter gives up, and the work goes on.
func ExampleStart_shield() {
	ctx, cancel := context.WithCancel(context.Background())
	saving := make(chan struct{})
	task, err := thread.Start(context.WithoutCancel(ctx), "save", func(ctx context.Context) error {
		<-saving
		return ctx.Err()
	})
	if err != nil {
		log.Fatal(err)
	}
	cancel()
	fmt.Println("waiting:", task.Join(ctx))
	close(saving)
	fmt.Println("the work:", task.Join(context.Background()))
	// Output:
	// waiting: context canceled
	// the work: <nil>
}
