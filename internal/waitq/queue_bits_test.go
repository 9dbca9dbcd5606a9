//go:build linux

package waitq

import (
	"sync"
	"testing"
)

// A bit that is set is always seen, whatever happens to the other bits of its word.
func TestBitsOfAQueueAreSeen(t *testing.T) {
	t.Parallel()
	o, err := NewObject(Shape{Name: "bits", Kind: 97}, func(*Object) any { return nil })
	if err != nil {
		t.Fatal(err)
	}
	q, stop := NewQueue(o, 0, nil), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				q.setBit(40, 1)
				q.clearBit(40)
			}
		}
	})
	defer wait.Wait()
	defer close(stop)
	for i := range 5_000_000 {
		q.setBit(41, 1)
		for range 20 {
			if !q.HasWaiters() {
				t.Fatalf("no waiter is seen in round %d", i)
			}
		}
		q.clearBit(41)
	}
}
