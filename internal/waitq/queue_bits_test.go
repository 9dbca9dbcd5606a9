//go:build linux

package waitq

import (
	"sync"
	"testing"
)

// Whose bit is set is seen by all who look, whatever becomes of the bits of others.
func TestBitsOfALineAreSeen(t *testing.T) {
	t.Parallel()
	o, err := NewObject(Shape{Name: "bits", Kind: 97}, func(*Object) any { return nil })
	if err != nil {
		t.Fatal(err)
	}
	l, stop := NewQueue(o, 0, nil), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				l.setBit(40, 1)
				l.clearBit(40)
			}
		}
	})
	defer wait.Wait()
	defer close(stop)
	for i := range 5_000_000 {
		l.setBit(41, 1)
		for range 20 {
			if !l.HasWaiters() {
				t.Fatalf("nobody seems to wait in round %d", i)
			}
		}
		l.clearBit(41)
	}
}
