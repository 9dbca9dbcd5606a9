//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

type adding struct {
	Lock *mp.Lock
	Sum  *mp.Array[int64]
	N    int
}

var addUnderLock = mp.Register("add under lock", func(ctx context.Context, in adding) (mp.None, error) {
	sum := in.Sum.Slice()
	for range in.N {
		h, err := in.Lock.Acquire(ctx)
		if err != nil {
			return mp.None{}, err
		}
		sum[0]++
		h.Release()
	}
	return mp.None{}, nil
})

// Two processes add to the same number, a million times each. Under a lock no addition
// is lost.
func ExampleLock_Acquire() {
	ctx := context.Background()
	lock, err := mp.NewLock()
	if err != nil {
		log.Fatal(err)
	}
	sum, err := mp.NewArray[int64](1)
	if err != nil {
		log.Fatal(err)
	}
	defer sum.Close()
	for range 2 {
		if _, err := mp.Start(ctx, addUnderLock, adding{lock, sum, 1_000_000}); err != nil {
			log.Fatal(err)
		}
	}
	if err := mp.JoinAll(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum.Slice()[0])
	// Output: 2000000
}
