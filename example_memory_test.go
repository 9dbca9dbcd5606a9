package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp"
)

// hoard takes more and more memory.
var hoard = mp.Register("hoard", func(ctx context.Context, greedy bool) (int, error) {
	var all [][]byte
	for greedy {
		block := make([]byte, 8<<20)
		for i := 0; i < len(block); i += 1 << 10 {
			block[i] = 1
		}
		all = append(all, block)
		time.Sleep(time.Millisecond)
	}
	return len(all), nil
})

// A task that takes too much memory is killed with its worker; the next one gets a
// new worker.
func ExamplePoolConfig_maxMemory() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, MaxMemory: 128 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	_, err = mp.Apply(ctx, pool, hoard, true)
	fmt.Println(errors.Is(err, mp.ErrMemory))
	fmt.Println(mp.Apply(ctx, pool, hoard, false))
	// Output:
	// true
	// 0 <nil>
}
