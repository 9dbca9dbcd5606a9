package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

type exampleTrace struct{} // the key under which the program keeps its trace

var tellTrace = mp.Register("example/tell trace", func(ctx context.Context, _ mp.None) (string, error) {
	return mp.Propagated(ctx)["traceparent"], nil
})

// A trace goes on in the process that runs the task.
func ExamplePropagated() {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1, Propagate: func(ctx context.Context) map[string]string {
		trace, _ := ctx.Value(exampleTrace{}).(string)
		return map[string]string{"traceparent": trace}
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Shutdown(context.Background())
	ctx := context.WithValue(context.Background(), exampleTrace{}, "00-4bf92f35-00f067aa-01")
	fmt.Println(mp.Apply(ctx, pool, tellTrace, mp.None{}))
	// Output: 00-4bf92f35-00f067aa-01 <nil>
}
