package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strconv"

	"github.com/gomultiprocessing/mp"
)

var number = mp.Register("number", func(ctx context.Context, s string) (int, error) {
	return strconv.Atoi(s)
})

// A Map with failures has the values of the others, and tells which failed.
func ExampleMapAsync() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	r := mp.MapAsync(ctx, pool, number, []string{"1", "two", "3", "four"})
	numbers, err := r.Get(ctx)
	fmt.Println(numbers)
	var failed *mp.MapError
	if errors.As(err, &failed) {
		for _, e := range failed.Errs {
			fmt.Println(e.Index, e.Err)
		}
	}
	// Output:
	// [1 0 3 0]
	// 1 strconv.Atoi: parsing "two": invalid syntax
	// 3 strconv.Atoi: parsing "four": invalid syntax
}
