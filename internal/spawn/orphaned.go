//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"os"
	"syscall"
)

// Lost ends this process and its group: the parent is gone, which shows as the end of
// file on Conn. It does not return.
func (s *Self) ExitOrphaned() {
	pid := os.Getpid()
	syscall.Kill(-pid, syscall.SIGKILL)
	syscall.Kill(pid, syscall.SIGKILL) // if it has left its group
	select {}
}
