package mp_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/gomultiprocessing/mp"
)

var chatter = mp.Register("chatter", func(ctx context.Context, name string) (int, error) {
	fmt.Println("this is", name)
	fmt.Fprintln(os.Stderr, "a warning from", name)
	return len(name), nil
})

// What a task prints can be kept in its outcome.
func ExampleCapture() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	names := slices.Values([]string{"Ann", "Bob"})
	for o := range mp.Outcomes(ctx, pool, chatter, names, mp.Capture(0)) {
		fmt.Printf("%d %d %q %q\n", o.Index, o.Out, o.Stdout, o.Stderr)
	}
	// Unordered output:
	// 0 3 "this is Ann\n" "a warning from Ann\n"
	// 1 3 "this is Bob\n" "a warning from Bob\n"
}
