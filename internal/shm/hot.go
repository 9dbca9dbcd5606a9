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

// Hot remembers whether looking has helped, so that nobody goes on who looks in vain. It may
// be used by any number of goroutines. The zero Hot never looks.
type Hot struct {
	Can            bool // this process can look and do something else at the same time
	score, skipped atomic.Int32
}

const (
	hottest  = 8
	hotAgain = 32 // so often in vain, look once all the same
)

// looking is 1 while a goroutine of this process looks.
var looking atomic.Int32

// NewHot looks where there is more than one processor to use.
func NewHot() Hot { return Hot{Can: runtime.GOMAXPROCS(0) > 1 && runtime.NumCPU() > 1} }

// Worth says whether to look.
func (h *Hot) Worth() bool {
	if !h.Can || h.score.Load() > -hottest {
		return h.Can
	}
	if h.skipped.Add(1) < hotAgain {
		return false
	}
	h.skipped.Store(0)
	return true
}

// Note says whether looking has helped this time.
func (h *Hot) Note(helped bool) {
	score := h.score.Load()
	if helped {
		h.score.Store(min(hottest, score+2))
	} else if score > -hottest {
		h.score.Store(score - 1)
	}
}

// look tries for a moment.
func (l *Line) look(try func(first bool) bool) bool {
	if !l.hot.Worth() || !looking.CompareAndSwap(0, 1) {
		return false
	}
	defer looking.Store(0)
	end := Now() + int64(lookTime)
	for {
		for range 30 {
			if try(false) {
				l.hot.Note(true)
				return true
			}
		}
		if Now() >= end {
			l.hot.Note(false)
			return false
		}
		runtime.Gosched()
	}
}
