package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var mayFail = mp.Register("mayFail", func(ctx context.Context, fails bool) (mp.None, error) {
	if fails {
		return mp.None{}, errors.New("it fails")
	}
	return mp.None{}, nil
})

// Stats is a look at what a pool has done and is doing.
func ExamplePool_Stats() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	mp.Map(ctx, pool, mayFail, []bool{false, true, false})
	st := pool.Stats()
	fmt.Println("workers:", len(st.Workers))
	fmt.Println("done:", st.Done, "failed:", st.Failed)
	fmt.Println("queued:", st.Queued, "running:", st.Running, "restarts:", st.Restarts)
	// Output:
	// workers: 2
	// done: 2 failed: 1
	// queued: 0 running: 0 restarts: 0
}
