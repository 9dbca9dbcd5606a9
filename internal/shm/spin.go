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
const spinTime = 150 * time.Microsecond

// Hot remembers whether looking has helped, so that nobody goes on who looks in vain. It may
// be used by any number of goroutines. The zero Hot never looks.
type Hot struct {
	Can            bool // this process can look and do something else at the same time
	score, skipped atomic.Int32
}

const (
	maxSpinScore = 8
	spinRetry    = 32 // so often in vain, look once all the same
)

// looking is 1 while a goroutine of this process looks.
var spinning atomic.Int32

// NewHot looks where there is more than one processor to use.
func NewHot() Hot { return Hot{Can: runtime.GOMAXPROCS(0) > 1 && runtime.NumCPU() > 1} }

// Worth says whether to look.
func (h *Hot) Worth() bool {
	if !h.Can || h.score.Load() > -maxSpinScore {
		return h.Can
	}
	if h.skipped.Add(1) < spinRetry {
		return false
	}
	h.skipped.Store(0)
	return true
}

// Note says whether looking has helped this time.
func (h *Hot) Note(helped bool) {
	score := h.score.Load()
	if helped {
		h.score.Store(min(maxSpinScore, score+2))
	} else if score > -maxSpinScore {
		h.score.Store(score - 1)
	}
}

// look tries for a moment.
func (l *Line) trySpinning(try func(first bool) bool) bool {
	if !l.spin.Worth() || !spinning.CompareAndSwap(0, 1) {
		return false
	}
	defer spinning.Store(0)
	end := Now() + int64(spinTime)
	for {
		for range 30 {
			if try(false) {
				l.spin.Note(true)
				return true
			}
		}
		if Now() >= end {
			l.spin.Note(false)
			return false
		}
		runtime.Gosched()
	}
}
