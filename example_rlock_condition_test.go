//go:build linux

package mp_test

import (
	"context"
	"fmt"

	"github.com/gomultiprocessing/mp"
)

// Wait releases the lock however often it is held.
func ExampleNewRLockCondition() {
	bg := context.Background()
	lock, err := mp.NewRLock()
	if err != nil {
		fmt.Println(err)
		return
	}
	cond, err := mp.NewRLockCondition(lock)
	if err != nil {
		fmt.Println(err)
		return
	}
	ready, done := false, make(chan struct{})
	go func() {
		defer close(done)
		ctx, outer, _ := lock.Acquire(bg)
		defer outer.Release()
		_, inner, _ := lock.Acquire(ctx) // such as in a function that is called with the lock held
		inner, err := cond.WaitFor(ctx, inner, func() bool { return ready })
		fmt.Println("ready:", ready, err)
		inner.Release()
	}()
	_, h, _ := lock.Acquire(bg)
	ready = true
	cond.NotifyAll(h)
	h.Release()
	<-done
	fmt.Println("held:", lock.Locked())
	// Output:
	// ready: true <nil>
	// held: false
}
