package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/gomultiprocessing/mp"
)

var whoRuns = mp.Register("whoRuns", func(ctx context.Context, main int) (string, error) {
	if os.Getpid() == main {
		return "the main process", nil
	}
	return "a worker", nil
})

// Do calls the function here, as a test of it may want.
func ExampleFunc_Do() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	fmt.Println(mp.Apply(ctx, pool, whoRuns, os.Getpid()))
	fmt.Println(whoRuns.Do(ctx, os.Getpid()))
	fmt.Println(whoRuns.Name())
	// Output:
	// a worker <nil>
	// the main process <nil>
	// whoRuns
}
