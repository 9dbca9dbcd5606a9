package shm

import (
	"time"

	"golang.org/x/sys/unix"
)

// The shared clock is CLOCK_MONOTONIC, which is the same in all processes of the machine. It is
// read once, at start; package time does the rest without a system call.
var clockBase, clockStart = readClocks()

// readClocks reads both clocks at the same time, as nearly as it can: the thread may be
// preempted between the two readings.
func readClocks() (base time.Time, start int64) {
	best := time.Duration(-1)
	for range 10 {
		var ts unix.Timespec
		before := time.Now()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			return before, before.UnixNano()
		}
		if took := time.Since(before); best < 0 || took < best {
			best, base, start = took, before.Add(took/2), ts.Nano()
		}
		if best < 20*time.Microsecond {
			break
		}
	}
	return base, start
}
