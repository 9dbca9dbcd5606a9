package talk

import (
	"math"
	"time"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// now is the time on the clock that parent and child share, in nanoseconds.
func now() int64 { return shm.Now() }

// later is the time d after t, both on the shared clock. 0: so far away that there is none.
func later(t int64, d time.Duration) int64 {
	if d > 0 && t > math.MaxInt64-int64(d) {
		return 0
	}
	return t + int64(d)
}

// deadlineOf is the deadline of a call on the shared clock; 0: none.
func deadlineOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return later(now(), time.Until(t))
}

// at is a time on the shared clock as a time of this process.
func at(ns int64) time.Time { return shm.Time(ns) }

// sharedClock is that clock for the ctxs of tasks.
type sharedClock struct{}

func (sharedClock) Now() int64              { return now() }
func (sharedClock) Time(ns int64) time.Time { return at(ns) }

// Paused implements run.Clock.
func (sharedClock) Paused(ns int64) time.Duration { return shm.Paused(at(ns)) }
