package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// A Func is known by its name in every process of the program.
var square = mp.Register("square", func(ctx context.Context, n int) (int, error) {
	return n * n, nil
})

// The shortest program. Its main begins with mp.Main(): a worker process serves
// from there and never returns.
func Example() {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 4})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	squares, err := mp.Map(context.Background(), pool, square, []int{1, 2, 3})
	fmt.Println(squares, err)
	// Output: [1 4 9] <nil>
}
