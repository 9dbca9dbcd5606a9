package pipe

import (
	"runtime"
	"time"
)

// A process that sleeps needs tens of microseconds to wake up. So whoever waits for a
// message looks for it for a moment before going to sleep, as long as that has helped lately.

const (
	// lookTime is how long one looks.
	lookTime = 100 * time.Microsecond
	hottest  = 8
	hotAgain = 32 // so often in vain, look once all the same
)

// hot remembers whether looking has helped.
type hot struct{ score, skipped int }

// canLook says that this process can look and do something else at the same time.
func canLook() bool { return runtime.GOMAXPROCS(0) > 1 && runtime.NumCPU() > 1 }

// worth says whether to look.
func (h *hot) worth() bool {
	if h.score > -hottest {
		return true
	}
	if h.skipped++; h.skipped < hotAgain {
		return false
	}
	h.skipped = 0
	return true
}

func (h *hot) note(helped bool) {
	if helped {
		h.score = min(hottest, h.score+2)
	} else if h.score > -hottest {
		h.score--
	}
}
