package thread_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp/thread"
)

// Load returns the two numbers as they were at one moment.
func ExampleNewValue() {
	type point struct{ X, Y int }
	v, err := thread.NewValue(point{1, 2})
	if err != nil {
		log.Fatal(err)
	}
	err = v.Update(context.Background(), func(p *point) { p.X, p.Y = p.Y, p.X })
	fmt.Println(v.Load(), err)
	// Output: {2 1} <nil>
}

func ExampleNewCounter() {
	c, err := thread.NewCounter(40)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Add(2), c.CompareAndSwap(42, 7), c.Load())
	// Output: 42 true 7
}

// An Array of goroutines is a slice of Go. Made by mp.NewArray it is shared by processes.
func ExampleNewArray() {
	a, err := thread.NewArray[float64](3)
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	copy(a.Slice(), []float64{1, 4, 9})
	fmt.Println(a.Slice(), a.Len())
	// Output: [1 4 9] 3
}
