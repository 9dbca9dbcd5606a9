package mp

import (
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Limits are what a process may use at most. What is zero is as in this process.
// They are only applied on Linux.
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
