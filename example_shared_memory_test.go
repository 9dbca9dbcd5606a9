//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var fill = mp.Register("fill", func(ctx context.Context, m *mp.Memory) (mp.None, error) {
	defer m.Close()
	copy(m.Bytes(), "from the child")
	return mp.None{}, nil
})

// A child writes into memory that it was given.
func ExampleNewMemory() {
	m, err := mp.NewMemory(1 << 20)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	_, err = mp.Call(context.Background(), fill, m)
	fmt.Println(string(m.Bytes()[:14]), err)
	// Output: from the child <nil>
}
