//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"syscall"
	"time"
)

// reapGroup reaps what a dead child has left of its process group, which was killed. In the first process
// of a container there is nobody else to do that: the orphans have become its children. They keep the
// group's number from being used again, and once there are none this ends at once, so nothing else is
// reaped. One that cannot die, in a system call that never ends, is given up after a minute.
func reapOrphans(pgid int) {
	pause := time.Millisecond
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		pid, err := syscall.Wait4(-pgid, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR || err == nil && pid > 0:
		case err != nil: // ECHILD: there is none
			return
		default:
			time.Sleep(pause)
			pause = min(2*pause, 100*time.Millisecond)
		}
	}
}
