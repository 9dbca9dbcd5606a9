package shm

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A process that sleeps needs tens of microseconds to wake up, many times what it
// takes another to put something into shared memory. So who waits looks for a moment before
// it sleeps, as long as that has helped lately, and one goroutine of a process at a time.

// lookTime is how long one looks: longer than a few wake-ups, so that when one side
// was interrupted and has gone to sleep, the other is still there when it comes.
const lookTime = 150 * time.Microsecond

// hot remembers whether looking has helped.
type hot struct {
	can            bool
	score, skipped atomic.Int32
}

const (
	hottest  = 8
	hotAgain = 32 // so often in vain, look once all the same
)

// looking is 1 while a goroutine of this process looks.
var looking atomic.Int32

// newHot is for a process that can look and do something else at the same time.
func newHot() hot { return hot{can: runtime.GOMAXPROCS(0) > 1 && runtime.NumCPU() > 1} }

// worth says whether to look.
func (h *hot) worth() bool {
	if !h.can || h.score.Load() > -hottest {
		return h.can
	}
	if h.skipped.Add(1) < hotAgain {
		return false
	}
	h.skipped.Store(0)
	return true
}

func (h *hot) note(helped bool) {
	score := h.score.Load()
	if helped {
		h.score.Store(min(hottest, score+2))
	} else if score > -hottest {
		h.score.Store(score - 1)
	}
}

// look tries for a moment.
func (l *Line) look(try func(first bool) bool) bool {
	if !l.hot.worth() || !looking.CompareAndSwap(0, 1) {
		return false
	}
	defer looking.Store(0)
	end := Now() + int64(lookTime)
	for {
		for range 30 {
			if try(false) {
				l.hot.note(true)
				return true
			}
		}
		if Now() >= end {
			l.hot.note(false)
			return false
		}
		runtime.Gosched()
	}
}
