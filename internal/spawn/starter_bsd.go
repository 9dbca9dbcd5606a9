//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"sync/atomic"
	"syscall"
)

// selfExe is empty: this process's binary has no name but its path.
const selfExe = ""

var childCount atomic.Int64

func addChild()    { childCount.Add(1) }
func removeChild() { childCount.Add(-1) }

// Children returns the number of children that have not been reaped.
func Children() int { return int(childCount.Load()) }

// fork starts a child in a process group of its own. There is no pidfd.
func fork(argv []string, attr *syscall.ProcAttr, _ *Thread) (pid, pidfd int, err error) {
	attr.Sys = &syscall.SysProcAttr{Setpgid: true}
	pid, err = forkExec(argv, attr)
	return pid, -1, err
}
