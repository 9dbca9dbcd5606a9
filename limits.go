package mp

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// Limits are what a process may use at most. What is zero is as in this process.
// A limit on memory exists on Linux; elsewhere it is an error that is
// errors.ErrUnsupported. A limit that the system refuses ends the process before its
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

// memoryLimit says why there can be no limit on memory.
func memoryLimit(bytes int64) error {
	if bytes > 0 && runtime.GOOS != "linux" {
		return fmt.Errorf("mp: no limit on memory on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	return nil
}

// gcTarget is the GOMEMLIMIT that goes with a limit: the collector should work
// harder before the process is killed.
func gcTarget(limit int64) int64 { return limit / 10 * 9 }
