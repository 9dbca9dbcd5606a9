//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

type bakery struct {
	Changed *mp.Condition
	Loaves  *mp.Array[int64] // guarded by the condition's lock
}

var bake = mp.Register("bake", func(ctx context.Context, b bakery) (mp.None, error) {
	for range 3 {
		h, err := b.Changed.Acquire(ctx)
		if err != nil {
			return mp.None{}, err
		}
		b.Loaves.Slice()[0]++
		b.Changed.Notify(h, 1)
		h.Release()
	}
	return mp.None{}, nil
})

// One process bakes, and another waits until there is something to eat.
func ExampleCondition() {
	ctx := context.Background()
	changed, err := mp.NewCondition(nil)
	if err != nil {
		log.Fatal(err)
	}
	loaves, err := mp.NewArray[int64](1)
	if err != nil {
		log.Fatal(err)
	}
	defer loaves.Close()
	baker, err := mp.Start(ctx, bake, bakery{changed, loaves})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 3 {
		h, err := changed.Acquire(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if h, err = changed.WaitFor(ctx, h, func() bool { return loaves.Slice()[0] > 0 }); err != nil {
			log.Fatal(err)
		}
		loaves.Slice()[0]--
		h.Release()
		fmt.Println("ate loaf", i+1)
	}
	if err := baker.Join(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ate loaf 1
	// ate loaf 2
	// ate loaf 3
}
