package mp_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/gomultiprocessing/mp"
)

var upper = mp.Register("upper", func(ctx context.Context, s string) (string, error) {
	return strings.ToUpper(s), nil
})

// ApplyAsync returns at once; Get waits for the outcome.
func ExampleApplyAsync() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	var results []*mp.Result[string]
	for _, word := range []string{"one", "two", "three"} {
		results = append(results, mp.ApplyAsync(ctx, pool, upper, word))
	}
	for _, r := range results {
		fmt.Println(r.Get(ctx))
	}
	// Output:
	// ONE <nil>
	// TWO <nil>
	// THREE <nil>
}
