package mp_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp"
)

var countdown = mp.Register("countdown", func(ctx context.Context, d time.Duration) (string, error) {
	time.Sleep(d)
	return "after " + d.String(), nil
})

// Results come as they are done, each with its place among the arguments.
func ExampleAsCompleted() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1}) // one at a time
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	long := mp.ApplyAsync(ctx, pool, countdown, 20*time.Millisecond)
	short := mp.ApplyAsync(ctx, pool, countdown, 10*time.Millisecond)
	none := mp.ApplyAsync(ctx, pool, countdown, 0)

	for i, r := range mp.AsCompleted(ctx, none, short, long) {
		s, err := r.Get(ctx)
		fmt.Println(i, s, err)
	}
	// Unordered output:
	// 2 after 20ms <nil>
	// 1 after 10ms <nil>
	// 0 after 0s <nil>
}
