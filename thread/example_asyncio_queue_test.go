package thread_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/thread"
)

// asyncio.Queue with workers, join and task_done. Closing the queue ends the workers: nobody
// has to be cancelled.
func ExampleNewQueue_asyncio() {
	ctx := context.Background()
	work, err := thread.NewQueue[int](2) // Put waits while two are there
	if err != nil {
		log.Fatal(err)
	}
	var sum atomic.Int64
	for i := range 3 {
		if _, err := thread.Start(ctx, fmt.Sprint("worker ", i), func(ctx context.Context) error {
			for n, err := range work.All(ctx) {
				if err != nil {
					return err
				}
				sum.Add(int64(n))
				if err := work.TaskDone(); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			log.Fatal(err)
		}
	}
	for n := range 10 {
		if err := work.Put(ctx, n+1); err != nil {
			log.Fatal(err)
		}
	}
	if err := work.Join(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("all is done:", sum.Load())

	if err := work.Close(); err != nil {
		log.Fatal(err)
	}
	if err := thread.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("alive:", len(thread.Enumerate())-1)
	// Output:
	// all is done: 55
	// alive: 0
}
