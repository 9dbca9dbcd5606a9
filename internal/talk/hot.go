package talk

import (
	"runtime"
	"time"
)

// A process that sleeps needs tens of microseconds to wake up, many times what a short
// call takes. So whoever waits for the other side looks at the page for a moment before
// it sleeps, as long as that has helped lately: the worker for the next batch, the
// parent for the outcome of a single task.

// lookTime is how long one looks. It must be longer than a few wake-ups: when one side
// was interrupted and has gone to sleep, the other should still be there when it comes.
const lookTime = 200 * time.Microsecond

// hot remembers whether looking has helped.
type hot struct {
	can            bool
	score, skipped int
}

const (
	hottest  = 8
	hotAgain = 32 // so often in vain, look once all the same
)

// newHot is for a process that can look and do something else at the same time.
func newHot() hot { return hot{can: runtime.GOMAXPROCS(0) > 1 && runtime.NumCPU() > 1} }

// worth says whether to look.
func (h *hot) worth() bool {
	if !h.can || h.score > -hottest {
		return h.can
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

// look calls found until it says so, or for the time of a look.
func look(found func() bool) bool {
	end := now() + int64(lookTime)
	for {
		for range 50 {
			if found() {
				return true
			}
		}
		if now() >= end {
			return false
		}
	}
}
