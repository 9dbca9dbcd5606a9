package thread_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// SaysItsName is a thread that says three times who it is.
type SaysItsName struct{ Every time.Duration }

func (s SaysItsName) Run(ctx context.Context) error {
	for i := range 3 {
		time.Sleep(s.Every)
		fmt.Printf("I'm %s @ %d\n", thread.Current(ctx).Name(), i)
	}
	return nil
}

// With the name "" it would be SaysItsName-N.
func ExampleStartRunner_names() {
	ctx := context.Background()
	t, err := thread.StartRunner(ctx, "Thread-1", SaysItsName{Every: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	if err := t.Join(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// I'm Thread-1 @ 0
	// I'm Thread-1 @ 1
	// I'm Thread-1 @ 2
}
