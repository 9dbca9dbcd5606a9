package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var render = mp.Register("render", func(ctx context.Context, frame int) (int, error) {
	return frame + 1, nil
})

// Progress tells how many tasks have ended.
func ExampleProgress() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	last := 0
	grows := true
	_, err = mp.Map(ctx, pool, render, make([]int, 1000), mp.Progress(func(done, total int) {
		grows = grows && done > last
		last = done
		if done == total {
			fmt.Println(done, "of", total)
		}
	}))
	fmt.Println("it only grows:", grows, err)
	// Output:
	// 1000 of 1000
	// it only grows: true <nil>
}
