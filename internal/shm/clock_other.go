//go:build !linux

package shm

import "time"

// The shared clock is the wall clock of the start plus the time since then: these systems have
// no better clock that is the same in all processes.
var (
	clockBase  = time.Now()
	clockStart = clockBase.UnixNano()
)
