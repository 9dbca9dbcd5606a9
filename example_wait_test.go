package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// patient returns at once, or when it is asked to stop.
var patient = mp.Register("patient", func(ctx context.Context, waits bool) (string, error) {
	if waits {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return "quick", nil
})

// Wait for whatever is done first, and cancel the rest.
func ExampleWait() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	slow := mp.ApplyAsync(ctx, pool, patient, true)
	quick := mp.ApplyAsync(ctx, pool, patient, false)

	done, pending := mp.Wait(ctx, mp.FirstDone, slow, quick)
	fmt.Println(len(done), "done,", len(pending), "pending")
	fmt.Println(done[0].Get(ctx))

	pending[0].Cancel()
	mp.Wait(ctx, mp.AllDone, slow, quick)
	fmt.Println(slow.Ready(), errors.Is(slow.Err(), mp.ErrCancelled))
	// Output:
	// 1 done, 1 pending
	// quick <nil>
	// true true
}
