//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

type phase struct {
	All  *mp.Barrier
	Sums *mp.Array[int64]
	Me   int
}

var twoPhases = mp.Register("two phases", func(ctx context.Context, p phase) (int64, error) {
	p.Sums.Slice()[p.Me] = int64(p.Me + 1) // the first phase
	if _, err := p.All.Wait(ctx); err != nil {
		return 0, err
	}
	var sum int64 // the second one needs what all have done in the first
	for _, n := range p.Sums.Slice() {
		sum += n
	}
	return sum, nil
})

// Three processes begin the second phase when all have done the first.
func ExampleBarrier() {
	ctx := context.Background()
	all, err := mp.NewBarrier(3)
	if err != nil {
		log.Fatal(err)
	}
	sums, err := mp.NewArray[int64](3)
	if err != nil {
		log.Fatal(err)
	}
	defer sums.Close()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 3})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	fmt.Println(mp.Map(ctx, pool, twoPhases, []phase{{all, sums, 0}, {all, sums, 1}, {all, sums, 2}}, mp.Chunk(1)))
	// Output: [6 6 6] <nil>
}
