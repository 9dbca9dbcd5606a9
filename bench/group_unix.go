//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// inGroup puts a command into a process group of its own, so that its end takes
// the workers of a Python pool with it.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
