package thread_test

import (
	"testing"
	"testing/synctest"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// A pool that was made in a bubble of testing/synctest does not disturb those that look at the pools of the process.
func TestPoolsOfABubble(t *testing.T) {
	t.Parallel()
	made, look := make(chan struct{}), make(chan struct{})
	go func() {
		<-made
		mp.Pools()
		close(look)
	}()
	var keep *mp.Pool
	synctest.Test(t, func(t *testing.T) {
		p, err := thread.NewPool(mp.PoolConfig{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		keep = p
		p.Terminate()
	})
	close(made)
	<-look
	for _, p := range mp.Pools() {
		if p == keep {
			t.Error("a pool that has ended is on the list")
		}
	}
}
