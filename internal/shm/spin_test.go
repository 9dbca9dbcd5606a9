package shm_test

import (
	"testing"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Looking stops when it does not help, and is tried again now and then.
func TestHot(t *testing.T) {
	t.Parallel()
	looks := func(h *shm.Hot, n int) (times int) {
		for range n {
			if h.Worth() {
				times++
				h.Note(false)
			}
		}
		return times
	}
	h := shm.Hot{Can: true}
	if n := looks(&h, 1000); n < shm.Hottest || n > 3*shm.Hottest+1000/shm.HotAgain {
		t.Errorf("%d looks in vain", n)
	}
	for range shm.Hottest {
		h.Note(true)
	}
	if n := looks(&h, 2*shm.Hottest); n != 2*shm.Hottest {
		t.Errorf("%d looks after some that helped", n)
	}
	if n := looks(&shm.Hot{}, 1000); n != 0 {
		t.Errorf("%d looks that cannot help", n)
	}
}
