//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

type lockTaker struct {
	Lock        *mp.Lock
	Tries, Took *mp.Event
}

var takeLock = mp.Register("take lock", func(ctx context.Context, in lockTaker) (mp.None, error) {
	in.Tries.Set()
	h, err := in.Lock.Acquire(ctx)
	if err != nil {
		return mp.None{}, err
	}
	in.Took.Set()
	return mp.None{}, h.Release()
})

// A second process waits for a lock until the first gives it back.
func ExampleLock() {
	ctx := context.Background()
	lock, err := mp.NewLock()
	if err != nil {
		log.Fatal(err)
	}
	tries, _ := mp.NewEvent()
	took, _ := mp.NewEvent()
	h, err := lock.Acquire(ctx)
	if err != nil {
		log.Fatal(err)
	}
	second, err := mp.Start(ctx, takeLock, lockTaker{lock, tries, took})
	if err != nil {
		log.Fatal(err)
	}
	tries.Wait(ctx)
	fmt.Println("the second has it:", took.IsSet())
	fmt.Println("released:", h.Release())
	took.Wait(ctx)
	fmt.Println("the second has it:", took.IsSet())
	fmt.Println("released again:", h.Release())
	if err := second.Join(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// the second has it: false
	// released: <nil>
	// the second has it: true
	// released again: mp: not the owner
}
