package thread_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// Cancel asks, and the thread's function answers when it looks at its ctx.
func ExampleThread_Cancel() {
	ctx := context.Background()
	ticks := make(chan int)
	t, err := thread.Start(ctx, "ticker", func(ctx context.Context) error {
		for i := 0; ; i++ {
			select {
			case ticks <- i:
			case <-ctx.Done():
				fmt.Println("tidied up")
				return nil
			}
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-ticks, <-ticks)
	t.Cancel()
	short, cancel := context.WithTimeout(ctx, 10*time.Second) // Python's join(timeout=10)
	defer cancel()
	fmt.Println(t.Join(short), t.Alive())
	// Output:
	// 0 1
	// tidied up
	// <nil> false
}
