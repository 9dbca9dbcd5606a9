package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

type Fraction struct{ Over, Under int }

var divide = mp.Register("divide", func(ctx context.Context, f Fraction) (int, error) {
	return f.Over / f.Under, nil
})

// A task that panics has an error, and its worker lives on.
func ExampleApply() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	fmt.Println(mp.Apply(ctx, pool, divide, Fraction{84, 2}))

	_, err = mp.Apply(ctx, pool, divide, Fraction{84, 0})
	var panicked *mp.PanicError
	fmt.Println(errors.As(err, &panicked), panicked.Value) // err has the file and the line too
	fmt.Println("restarts:", pool.Stats().Restarts)
	// Output:
	// 42 <nil>
	// true runtime error: integer divide by zero
	// restarts: 0
}
