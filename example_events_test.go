package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var odd = mp.Register("odd", func(ctx context.Context, n int) (bool, error) {
	if n < 0 {
		return false, errors.New("negative")
	}
	return n%2 == 1, nil
})

// Events tells what happens in a pool, in order.
func ExamplePoolEvent() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, Events: func(e mp.PoolEvent) {
		switch e.Kind {
		case mp.WorkerStarted, mp.WorkerReady, mp.WorkerDied, mp.WorkerRecycled:
			fmt.Println(e.Kind)
		default:
			fmt.Println(e.Kind, e.Func, e.Index, e.Err)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	mp.Apply(ctx, pool, odd, 1)
	mp.Apply(ctx, pool, odd, -1)
	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// worker started
	// worker ready
	// task queued odd 0 <nil>
	// task started odd 0 <nil>
	// task done odd 0 <nil>
	// task queued odd 0 <nil>
	// task started odd 0 <nil>
	// task failed odd 0 negative
	// worker recycled
}
