package proto

import (
	"math"
	"time"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// Now is the time on the clock that parent and child share, in nanoseconds.
func Now() int64 { return shm.Now() }

// Later is the time d after t, both on the shared clock. 0: so far away that there is none.
func Later(t int64, d time.Duration) int64 {
	if d > 0 && t > math.MaxInt64-int64(d) {
		return 0
	}
	return t + int64(d)
}

// Deadline is the deadline of a call on the shared clock; 0: none.
func Deadline(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return Later(Now(), time.Until(t))
}

// Time is a time on the shared clock as a time of this process.
func Time(ns int64) time.Time { return shm.Time(ns) }

// Clock is that clock for the ctxs of tasks.
type Clock struct{}

func (Clock) Now() int64              { return Now() }
func (Clock) Time(ns int64) time.Time { return Time(ns) }

// Paused implements task.Clock.
func (Clock) Paused(ns int64) time.Duration { return shm.Paused(Time(ns)) }
