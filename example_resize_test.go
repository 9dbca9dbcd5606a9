package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var increment = mp.Register("increment", func(ctx context.Context, n int) (int, error) {
	return n + 1, nil
})

// Resize changes the number of workers while the pool works. It returns at once:
// new workers are ready a moment later.
func ExamplePool_Resize() {
	ctx := context.Background()
	ready := make(chan struct{}, 10)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, Events: func(e mp.PoolEvent) {
		if e.Kind == mp.WorkerReady {
			ready <- struct{}{}
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	<-ready
	fmt.Println("workers:", len(pool.Stats().Workers))

	if err := pool.Resize(3); err != nil {
		log.Fatal(err)
	}
	<-ready
	<-ready
	fmt.Println("workers:", len(pool.Stats().Workers))
	fmt.Println(mp.Map(ctx, pool, increment, []int{1, 2, 3}))
	// Output:
	// workers: 1
	// workers: 3
	// [2 3 4] <nil>
}
