package mp_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
)

var cube = mp.Register("cube", func(ctx context.Context, n int) (int, error) {
	return n * n * n, nil
})

// Imap is lazy on both sides: the inputs may be endless, are taken only a little
// ahead, and the loop may be left at any time.
func ExampleImap() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	var taken atomic.Int64
	endless := func(yield func(int) bool) {
		for n := 1; ; n++ {
			taken.Add(1)
			if !yield(n) {
				return
			}
		}
	}
	for n, err := range mp.Imap(ctx, pool, cube, endless, mp.Window(4)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(n)
		if n > 100 {
			break
		}
	}
	fmt.Println("at most 4 were taken ahead:", taken.Load() <= 5+4)
	// Output:
	// 1
	// 8
	// 27
	// 64
	// 125
	// at most 4 were taken ahead: true
}
