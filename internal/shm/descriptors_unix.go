//go:build unix

package shm

import (
	"math"

	"golang.org/x/sys/unix"
)

// descriptorsAtMost is how many descriptors this process may have.
func descriptorLimit() int64 {
	var most unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &most) != nil {
		return math.MaxInt32
	}
	return int64(min(uint64(most.Cur), math.MaxInt32))
}
