//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"os"
	"syscall"
)

// ExitOrphaned kills this process and its group, because the parent has ended; that shows as the
// end of file on Conn. It does not return.
func (s *Self) ExitOrphaned() {
	pid := os.Getpid()
	syscall.Kill(-pid, syscall.SIGKILL)
	syscall.Kill(pid, syscall.SIGKILL) // in case it has left its group
	select {}
}
