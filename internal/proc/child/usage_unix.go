//go:build unix

package child

import (
	"time"

	"golang.org/x/sys/unix"
)

// spentCPU is the processor time of this process so far, its threads' together.
func spentCPU() time.Duration {
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
