//go:build unix

package mp

import (
	"syscall"

	"github.com/gomultiprocessing/mp/internal/talk"
)

// resume lets a stopped process go on.
func resume(c *talk.Caller) { c.Signal(syscall.SIGCONT) } // in vain if it is dead
