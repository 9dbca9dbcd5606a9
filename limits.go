package mp

import (
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Limits are what a process may use at most. What is zero is as in this process.
// A limit on memory exists on Linux, where it is watched by way of /proc, without which it is an error;
// on other systems it is one that is errors.ErrUnsupported. So are values that cannot work: less than
// 1 MiB of memory, fewer than 16 open files, a nice value beyond -20 to 19. A limit that the system refuses ends the process before its
// main runs, with a reason.
type Limits struct {
	Memory    int64         // bytes of anonymous memory; passing it kills: ErrMemory
	CPU       time.Duration // of processor time, rounded up to seconds; then it ends with "SIGXCPU: ..."
	OpenFiles int
	Nice      int // the nice value itself
}

func (l Limits) spawn() spawn.Limits {
	return spawn.Limits{CPU: l.CPU, OpenFiles: l.OpenFiles, Nice: l.Nice}
}

// gcTarget is the GOMEMLIMIT that goes with a limit: the collector should work
// harder before the process is killed.
func gcTarget(limit int64) int64 { return limit / 10 * 9 }
