package waitq

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// A sleeping process takes tens of microseconds to wake up, many times as long as another
// takes to write something into shared memory. So a waiter polls for a moment before it
// sleeps, as long as that has helped lately. One goroutine of a process polls at a time.

// spinTime is how long a waiter polls. It is longer than a few wake-ups: when one side was
// preempted and has gone to sleep, the other still polls when it returns.
const spinTime = 150 * time.Microsecond

// Spin decides whether to poll before sleeping: adaptive spinning. It remembers whether
// polling has helped lately. It is safe for concurrent use. The zero Spin never polls.
type Spin struct {
	Enabled        bool // this process can poll and do something else at the same time
	score, skipped atomic.Int32
}

const (
	maxSpinScore = 8
	spinRetry    = 32 // at the lowest score, poll once in so many waits
)

// spinning is 1 while a goroutine of this process polls in a queue.
var spinning atomic.Int32

// NewSpin returns a Spin that is enabled if this process can use several processors.
func NewSpin() Spin { return Spin{Enabled: runtime.GOMAXPROCS(0) > 1 && runtime.NumCPU() > 1} }

// ShouldSpin reports whether to poll. If so, the caller must call Record afterwards.
func (s *Spin) ShouldSpin() bool {
	if !s.Enabled || s.score.Load() > -maxSpinScore {
		return s.Enabled
	}
	if s.skipped.Add(1) < spinRetry {
		return false
	}
	s.skipped.Store(0)
	return true
}

// Record records whether polling has helped.
func (s *Spin) Record(helped bool) {
	score := s.score.Load()
	if helped {
		s.score.Store(min(maxSpinScore, score+2))
	} else if score > -maxSpinScore {
		s.score.Store(score - 1)
	}
}

// trySpinning calls try for a moment, and reports whether it returned true.
func (q *Queue) trySpinning(try func(first bool) bool) bool {
	if !q.spin.ShouldSpin() || !spinning.CompareAndSwap(0, 1) {
		return false
	}
	defer spinning.Store(0)
	end := shm.Now() + int64(spinTime)
	for {
		for range 30 {
			if try(false) {
				q.spin.Record(true)
				return true
			}
		}
		if shm.Now() >= end {
			q.spin.Record(false)
			return false
		}
		runtime.Gosched()
	}
}
