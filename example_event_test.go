//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var runAtStart = mp.Register("run at start", func(ctx context.Context, start *mp.Event) (string, error) {
	if err := start.Wait(ctx); err != nil {
		return "", err
	}
	return "ran", nil
})

// All processes that wait for an event go on when it is set.
func ExampleEvent() {
	ctx := context.Background()
	start, err := mp.NewEvent()
	if err != nil {
		log.Fatal(err)
	}
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	first := mp.ApplyAsync(ctx, pool, runAtStart, start)
	second := mp.ApplyAsync(ctx, pool, runAtStart, start)
	fmt.Println("before:", first.Ready(), second.Ready())
	start.Set()
	fmt.Println(first.Get(ctx))
	fmt.Println(second.Get(ctx))
	// Output:
	// before: false false
	// ran <nil>
	// ran <nil>
}
