//go:build !linux

package shm

import "time"

// The shared clock is the wall clock as it was at the start, where there is no
// better one that all processes read alike.
var (
	clockBase  = time.Now()
	clockStart = clockBase.UnixNano()
)
