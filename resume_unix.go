//go:build unix

package mp

import (
	"syscall"

	"github.com/gomultiprocessing/mp/internal/proc/host"
)

// resume lets a stopped process go on.
func resume(c *host.Caller) { c.Signal(syscall.SIGCONT) } // in vain if it is dead
