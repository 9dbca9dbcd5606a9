//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"os/signal"
	"syscall"
)

// leaveTerminal: a process outside of the terminal's group that reads it, or changes its settings, is
// stopped by these, for ever. Ignored, a read is an error. What the process starts inherits that: only
// the leader of a session can leave its terminal here.
func leaveTerminal() { signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU) }
