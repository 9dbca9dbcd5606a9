package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp/thread"
)

func whoAmI(ctx context.Context) { fmt.Println("this is", thread.Current(ctx).Name()) }

// The ctx says in which thread a function runs.
func ExampleCurrent() {
	ctx := context.Background()
	whoAmI(ctx)
	t, err := thread.Start(ctx, "reader", func(ctx context.Context) error {
		whoAmI(ctx)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Join(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// this is MainThread
	// this is reader
}
