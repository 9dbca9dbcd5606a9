package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var double = mp.Register("double", func(ctx context.Context, n int) (int, error) {
	return 2 * n, nil
})

// sumOfDoubles makes a pool of its own in its worker.
var sumOfDoubles = mp.Register("sumOfDoubles", func(ctx context.Context, ns []int) (int, error) {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		return 0, err
	}
	defer pool.Terminate()
	doubles, err := mp.Map(ctx, pool, double, ns)
	sum := 0
	for _, n := range doubles {
		sum += n
	}
	return sum, err
})

// A task may use processes itself: workers are no daemons.
func ExampleNewPool_nested() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	fmt.Println(mp.Map(ctx, pool, sumOfDoubles, [][]int{{1, 2, 3}, {10, 20, 30}, {}}))
	// Output:
	// [12 120 0] <nil>
}
