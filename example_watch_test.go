package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// A Watch looks at a pool that somebody else has made, for a while.
func ExamplePool_Watch() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Name: "numbers", Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range mp.Pools() {
		if p.Name() != "numbers" {
			continue
		}
		watch := p.Watch(mp.WatchConfig{Kinds: []mp.EventKind{mp.TaskDone, mp.TaskFailed}})
		defer watch.Close()
		mp.Map(ctx, pool, odd, []int{1, -1, 2})
		for range 3 {
			e, err := watch.Next(ctx)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(e.Pool, e.Kind, e.Index, e.Err)
		}
	}
	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// numbers task done 0 <nil>
	// numbers task failed 1 negative
	// numbers task done 2 <nil>
}
