package thread_test

import (
	"testing"

	"github.com/gomultiprocessing/mp/thread"
)

func TestLockExcludes(t *testing.T) {
	t.Parallel()
	l, _ := thread.NewLock()
	sum := 0
	done := make(chan struct{})
	for range 4 {
		go func() {
			for range 1000 {
				h, err := l.Acquire(t.Context())
				if err != nil {
					t.Error(err)
				}
				sum++
				h.Release()
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	if sum != 4000 || l.Locked() {
		t.Error(sum, l.Locked())
	}
}
