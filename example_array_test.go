//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// half is a part of an array, for one worker.
type half struct {
	Numbers  *mp.Array[float64]
	From, To int
}

var squareHalf = mp.Register("squareHalf", func(ctx context.Context, in half) (mp.None, error) {
	defer in.Numbers.Close()
	numbers := in.Numbers.Slice()[in.From:in.To]
	for i := range numbers {
		numbers[i] *= numbers[i]
	}
	return mp.None{}, nil
})

// Two workers square the halves of an array in place: nothing is copied.
func ExampleNewArray() {
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	a, err := mp.NewArray[float64](10)
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	for i := range a.Slice() {
		a.Slice()[i] = float64(i)
	}
	_, err = mp.Map(context.Background(), pool, squareHalf, []half{{a, 0, 5}, {a, 5, 10}})
	fmt.Println(a.Slice(), err)

	type point struct{ Name string }
	_, err = mp.NewArray[point](10)
	fmt.Println(err)
	// Output:
	// [0 1 4 9 16 25 36 49 64 81] <nil>
	// mp: Array[point]: field point.Name is a string, which is an address of this process: use an array of bytes, such as [32]byte
}
