//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// Jobs is what a worker takes, and where it adds up what it has done.
type Jobs struct {
	Queue *mp.Queue[int]
	Sum   *mp.Counter
}

var workOff = mp.Register("workOff", func(ctx context.Context, in Jobs) (mp.None, error) {
	for n, err := range in.Queue.All(ctx) {
		if err != nil {
			return mp.None{}, err
		}
		in.Sum.Add(int64(n))
		if err := in.Queue.TaskDone(); err != nil {
			return mp.None{}, err
		}
	}
	return mp.None{}, nil
})

// Every queue is Python's JoinableQueue: Join waits until all that was put is done, by
// whichever process has got it.
func ExampleQueue_Join() {
	ctx := context.Background()
	q, err := mp.NewQueue[int](mp.Unbounded)
	if err != nil {
		log.Fatal(err)
	}
	sum, err := mp.NewCounter(0)
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		if _, err := mp.Start(ctx, workOff, Jobs{q, sum}); err != nil {
			log.Fatal(err)
		}
	}
	for n := range 101 {
		if err := q.Put(ctx, n); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("all done:", q.Join(ctx))
	fmt.Println("sum:", sum.Load())
	q.Close() // the workers' loops end
	fmt.Println("joined:", mp.JoinAll(ctx))
	// Output:
	// all done: <nil>
	// sum: 5050
	// joined: <nil>
}
