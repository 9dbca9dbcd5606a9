package thread_test

import (
	"context"
	"fmt"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// Each worker of a pool has a buffer of its own, which its tasks use one after the other.
func ExampleLocal_pool() {
	buffers := thread.NewLocal(func() []byte { return make([]byte, 0, 1024) })
	shout := thread.Func(func(ctx context.Context, word string) (string, error) {
		b := append(buffers.Get(ctx)[:0], word...)
		return string(append(b, '!')), nil
	})

	pool, err := thread.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Terminate()
	fmt.Println(mp.Map(context.Background(), pool, shout, []string{"sing", "dance"}))
	// Output: [sing! dance!] <nil>
}
