package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp/thread"
)

// Two threads, which nobody joins by name: main ends after both.
func ExampleJoinAll() {
	ctx := context.Background()
	for _, what := range []string{"writing code", "listening to music"} {
		if _, err := thread.Start(ctx, "", func(context.Context) error {
			fmt.Println(what)
			return nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	// Without this a Go program would end here, and the threads with it.
	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// writing code
	// listening to music
}
