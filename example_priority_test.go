package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var serve = mp.Register("serve", func(ctx context.Context, guest string) (mp.None, error) {
	if guest == "" {
		<-ctx.Done() // keeps the only worker busy
		return mp.None{}, ctx.Err()
	}
	fmt.Println(guest)
	return mp.None{}, nil
})

// Tasks with a higher priority go first; equal ones in the order of submission.
func ExamplePriority() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	busy := mp.ApplyAsync(ctx, pool, serve, "")
	mp.ApplyAsync(ctx, pool, serve, "third")
	mp.ApplyAsync(ctx, pool, serve, "fourth")
	mp.ApplyAsync(ctx, pool, serve, "first", mp.Priority(2))
	mp.ApplyAsync(ctx, pool, serve, "second", mp.Priority(1))
	busy.Cancel()
	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// first
	// second
	// third
	// fourth
}
