//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// A program that shows its own state looks at what it shares with its workers.
func ExampleObjects() {
	ctx := context.Background()
	jobs, err := mp.NewQueue[string](100)
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Detach()
	if err := jobs.Put(ctx, "a.png"); err != nil {
		log.Fatal(err)
	}
	for _, o := range mp.Objects() {
		if q, is := o.(interface{ Len() int }); is && o == mp.Object(jobs) { // a Queue of any type has Len
			fmt.Println("jobs:", q.Len())
		}
	}
	// Output: jobs: 1
}
