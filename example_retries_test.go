package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"time"

	"github.com/gomultiprocessing/mp"
)

// flaky takes its worker with it, twice.
var flaky = mp.Register("flaky", func(ctx context.Context, n int) (string, error) {
	if task, _ := mp.CurrentTask(ctx); task.Attempt < 3 {
		os.Exit(1)
	}
	return "done at last", nil
})

// A task may be attempted again after a death, a timeout, a panic or an error.
func ExampleRetries() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	often := mp.Retries(5, mp.Backoff{Min: time.Millisecond})
	for o := range mp.Outcomes(ctx, pool, flaky, slices.Values([]int{1}), often) {
		fmt.Println(o.Out, o.Err, "attempts:", o.Attempts)
	}
	fmt.Println("retried:", pool.Stats().Retried)
	// Output:
	// done at last <nil> attempts: 3
	// retried: 2
}
