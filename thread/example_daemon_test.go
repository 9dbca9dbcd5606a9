package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp/thread"
)

// A daemon serves the other threads, and JoinAll does not wait for it.
func ExampleDaemon() {
	ctx := context.Background()
	spooler, err := thread.Start(ctx, "spooler", func(ctx context.Context) error {
		<-ctx.Done() // serves until it is told to end
		return nil
	}, thread.Daemon())
	if err != nil {
		log.Fatal(err)
	}
	_, err = thread.Start(ctx, "worker", func(context.Context) error {
		fmt.Println("the work is done")
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(thread.JoinAll(ctx), spooler.Join(ctx))
	// Output:
	// the work is done
	// <nil> <nil>
}
