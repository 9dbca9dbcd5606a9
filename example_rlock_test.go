//go:build linux

package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

// purse is guarded by a lock, and its methods call each other.
type purse struct {
	lock    *mp.RLock
	balance int
}

func (a *purse) add(ctx context.Context, n int) error {
	_, h, err := a.lock.Acquire(ctx)
	if err != nil {
		return err
	}
	defer h.Release()
	a.balance += n
	return nil
}

func (a *purse) addTwice(ctx context.Context, n int) error {
	ctx, h, err := a.lock.Acquire(ctx) // from here on ctx says who owns the lock
	if err != nil {
		return err
	}
	defer h.Release()
	if err := a.add(ctx, n); err != nil {
		return err
	}
	return a.add(ctx, n)
}

// The owner of an RLock may acquire it again.
func ExampleRLock() {
	lock, err := mp.NewRLock()
	if err != nil {
		log.Fatal(err)
	}
	a := &purse{lock: lock}
	if err := a.addTwice(context.Background(), 21); err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.balance, lock.Locked())
	// Output: 42 false
}
