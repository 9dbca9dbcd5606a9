package thread_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gomultiprocessing/mp/thread"
)

// A queue that was made before is waited for in a bubble, in another one, and outside again.
func TestQueueOutlivesBubbles(t *testing.T) {
	t.Parallel()
	q, err := thread.NewQueue[int](1)
	if err != nil {
		t.Fatal(err)
	}
	pass := func(t *testing.T, n int) {
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			for i := range n {
				if got, err := q.Get(t.Context()); err != nil || got != i {
					t.Errorf("got %d, %v, want %d", got, err, i)
				}
			}
		})
		for i := range n {
			if err := q.Put(t.Context(), i); err != nil {
				t.Error(err)
			}
		}
	}
	pass(t, 1000)
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			got := make(chan int)
			go func() {
				v, _ := q.Get(t.Context())
				got <- v
			}()
			synctest.Wait() // until it waits
			if err := q.Put(t.Context(), 7); err != nil || <-got != 7 {
				t.Error(err)
			}
			pass(t, 1000)
		})
	}
	pass(t, 1000)
}
