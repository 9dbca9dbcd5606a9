package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// inspect finds a fault in the first part, and never returns for the others.
var inspect = mp.Register("inspect", func(ctx context.Context, part int) (bool, error) {
	if part == 0 {
		return false, errors.New("broken")
	}
	<-ctx.Done()
	return false, ctx.Err()
})

// The first failure cancels the rest.
func ExampleFailFast() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	_, err = mp.Map(ctx, pool, inspect, []int{0, 1, 2, 3, 4}, mp.FailFast())
	fmt.Println(err)
	// Output:
	// mp: 1 of 5 tasks failed; task inspect[0]: broken
}
