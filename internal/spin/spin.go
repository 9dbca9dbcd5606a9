// Package spin decides whether to poll for something before sleeping, and polls: adaptive spinning.
//
// A sleeping process takes tens of microseconds to wake up, many times as long as another takes to
// write something into shared memory or a socket. So a waiter polls for a moment before it sleeps,
// as long as that has helped lately.
package spin

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Time is how long a waiter polls. It is longer than a few wake-ups: when one side was preempted and
// has gone to sleep, the other still polls when it returns.
const Time = 150 * time.Microsecond

// Spin remembers for one place whether polling has helped lately. It is safe for concurrent use. The
// zero Spin never polls.
type Spin struct {
	Enabled        bool // this process can poll and do something else at the same time
	score, skipped atomic.Int32
}

const (
	maxScore = 8
	retry    = 32 // at the lowest score, poll once in so many waits
)

// New returns a Spin that is enabled if this process can use several processors.
func New() Spin { return Spin{Enabled: runtime.GOMAXPROCS(0) > 1 && runtime.NumCPU() > 1} }

// ShouldSpin reports whether to poll. If so, the caller polls and then calls Record.
func (s *Spin) ShouldSpin() bool {
	if !s.Enabled || s.score.Load() > -maxScore {
		return s.Enabled
	}
	if s.skipped.Add(1) < retry {
		return false
	}
	s.skipped.Store(0)
	return true
}

// Record records whether polling has helped.
func (s *Spin) Record(helped bool) {
	score := s.score.Load()
	if helped {
		s.score.Store(min(maxScore, score+2))
	} else if score > -maxScore {
		s.score.Store(score - 1)
	}
}

// maxLooks ends polling where the clock stands still, as it does inside a bubble of
// testing/synctest.
const maxLooks = 10_000

// Until calls try until it returns true, for Time at most, and reports whether it did. It passes on
// arg. Between two looks at the clock, after which other goroutines may run, it calls try as often
// as tries says: some 30 times if it reads memory, less often if it costs a system call.
func Until[A any](tries int, try func(A) bool, arg A) bool {
	end := shm.Now() + int64(Time)
	for range maxLooks {
		for range tries {
			if try(arg) {
				return true
			}
		}
		if shm.Now() >= end {
			return false
		}
		runtime.Gosched()
	}
	return false
}
