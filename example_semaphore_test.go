//go:build linux

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

var keepPermit = mp.Register("keep permit", func(ctx context.Context, s *mp.Semaphore) (int, error) {
	if _, err := s.Acquire(ctx); err != nil {
		return 0, err
	}
	return s.Available(), nil // and never released
})

// The permit of a process that ends is back, whether it was released or not.
func ExampleSemaphore() {
	ctx := context.Background()
	s, err := mp.NewSemaphore(2)
	if err != nil {
		log.Fatal(err)
	}
	h, err := s.Acquire(ctx)
	if err != nil {
		log.Fatal(err)
	}
	left, err := mp.Call(ctx, keepPermit, s) // in a process of its own
	fmt.Println("available there:", left, err)
	fmt.Println("available here:", s.Available())
	h.Release()
	fmt.Println("available here:", s.Available())
	// Output:
	// available there: 0 <nil>
	// available here: 1
	// available here: 2
}

// A bounded semaphore notices when something is given back that was not taken.
func ExampleNewBoundedSemaphore() {
	s, err := mp.NewBoundedSemaphore(2)
	if err != nil {
		log.Fatal(err)
	}
	err = s.Release(1)
	fmt.Println(errors.Is(err, mp.ErrFull), s.Available())
	// Output: true 2
}
