//go:build linux

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gomultiprocessing/mp"
)

type twoLocks struct {
	First, Second *mp.Lock
	HasFirst      *mp.Event
}

var inOtherOrder = mp.Register("in other order", func(ctx context.Context, in twoLocks) (mp.None, error) {
	return mp.None{}, in.First.Do(ctx, func(mp.Hold) error {
		in.HasFirst.Set()
		return in.Second.Do(ctx, func(mp.Hold) error { return nil })
	})
})

// Two processes take two locks in opposite order. A wait that ends with its ctx says that it
// could not have succeeded, and lists which process waits for which.
func ExampleDeadlockError() {
	ctx := context.Background()
	a, err := mp.NewLock()
	if err != nil {
		log.Fatal(err)
	}
	b, _ := mp.NewLock()
	ready, _ := mp.NewEvent()
	hold, err := a.Acquire(ctx)
	if err != nil {
		log.Fatal(err)
	}
	other, err := mp.Start(ctx, inOtherOrder, twoLocks{First: b, Second: a, HasFirst: ready}, mp.ProcessConfig{Name: "other"})
	if err != nil {
		log.Fatal(err)
	}
	ready.Wait(ctx)

	var deadlock *mp.DeadlockError
	for deadlock == nil { // the other may not wait yet
		soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		_, err = b.Acquire(soon)
		cancel()
		if !errors.As(err, &deadlock) && !errors.Is(err, context.DeadlineExceeded) {
			log.Fatal(err)
		}
	}
	for i, w := range deadlock.Circle {
		next := deadlock.Circle[(i+1)%len(deadlock.Circle)]
		fmt.Println(w.Process, "waits for a lock of", next.Process)
	}
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	hold.Release() // gives way
	fmt.Println(other.Join(ctx))
	// Output:
	// MainProcess waits for a lock of other
	// other waits for a lock of MainProcess
	// true
	// <nil>
}
