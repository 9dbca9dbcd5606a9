package thread_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/gomultiprocessing/mp/thread"
)

// What goes wrong in threads that nobody joins is logged in one place.
func ExampleSetExceptHook() {
	thread.SetExceptHook(func(t *thread.Thread, err error) {
		text, _, _ := strings.Cut(err.Error(), " (") // where a panic was
		fmt.Printf("%s: %s\n", t.Name(), text)
	})
	defer thread.SetExceptHook(nil)

	ctx := context.Background()
	if _, err := thread.Start(ctx, "backup", func(context.Context) error {
		return errors.New("the disk is full")
	}); err != nil {
		log.Fatal(err)
	}
	if _, err := thread.Start(ctx, "report", func(context.Context) error {
		panic("no data")
	}); err != nil {
		log.Fatal(err)
	}
	if err := thread.JoinAll(ctx); err != nil { // by its end the hook was called for both
		log.Fatal(err)
	}
	// Unordered output:
	// backup: the disk is full
	// report: mp: panic: no data
}
