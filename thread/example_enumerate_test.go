package thread_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp/thread"
)

// Main looks how many threads there are until it is alone.
func ExampleEnumerate() {
	ctx := context.Background()
	singing, err := thread.Start(ctx, "sing", func(ctx context.Context) error {
		time.Sleep(5 * time.Millisecond)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	dancing, err := thread.Start(ctx, "dance", func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	before := 0
	for {
		alive := thread.Enumerate()
		if len(alive) != before {
			fmt.Println(len(alive), "alive, the first is", alive[0].Name())
			before = len(alive)
		}
		if len(alive) == 1 {
			break
		}
		if len(alive) == 2 && !singing.Alive() {
			dancing.Cancel()
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Println("main goes on")
	// Output:
	// 3 alive, the first is MainThread
	// 2 alive, the first is MainThread
	// 1 alive, the first is MainThread
	// main goes on
}
