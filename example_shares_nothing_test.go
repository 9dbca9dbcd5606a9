package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var counted = 100 // each process has its own

var countOn = mp.Register("countOn", func(ctx context.Context, in []int) (mp.None, error) {
	counted++
	in[0] = -1
	fmt.Println("the child:", counted, in)
	return mp.None{}, nil
})

// Processes share nothing: what a child changes, nobody else sees.
func ExampleStart_sharesNothing() {
	ctx := context.Background()
	in := []int{1, 2, 3}
	for range 2 {
		p, err := mp.Start(ctx, countOn, in)
		if err != nil {
			log.Fatal(err)
		}
		if err := p.Join(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("the parent:", counted, in)
	// Output:
	// the child: 101 [-1 2 3]
	// the child: 101 [-1 2 3]
	// the parent: 100 [1 2 3]
}
