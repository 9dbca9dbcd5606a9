//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"os/signal"
	"syscall"
)

// leaveTerminal ignores the signals that would stop this process when it reads the terminal or
// changes its settings, because it is outside the terminal's foreground group. A read then fails.
// Processes that it starts inherit that: here only a session leader can leave its terminal.
func leaveTerminal() { signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU) }
