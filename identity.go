package mp

import (
	"strconv"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

// processes counts the processes that this one has started, workers of pools among them.
var processes atomic.Int64

// nextIdentity is the identity of the next process that is started here.
func nextIdentity() string { return identity(processes.Add(1)) }

// identity tells the n-th process, or pool, of this process from those of all others of the program: the
// third that the main process makes is 3, and the first that this one makes is 3:1, as in Python's default
// names of processes.
func identity(n int64) string {
	own := strconv.FormatInt(n, 10)
	if self := spawn.Child(); self != nil && self.Identity != "" {
		return self.Identity + ":" + own
	}
	return own
}
