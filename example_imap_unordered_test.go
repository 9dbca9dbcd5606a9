package mp_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"github.com/gomultiprocessing/mp"
)

var length = mp.Register("length", func(ctx context.Context, word string) (int, error) {
	if word == "" {
		return 0, fmt.Errorf("an empty word")
	}
	return len(word), nil
})

// Outputs come as tasks end. The error of one task does not end the loop.
func ExampleImapUnordered() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	words := slices.Values([]string{"a", "", "ccc"})
	for n, err := range mp.ImapUnordered(ctx, pool, length, words) {
		fmt.Println(n, err)
	}
	// Unordered output:
	// 1 <nil>
	// 0 mp: task length[1]: an empty word
	// 3 <nil>
}
