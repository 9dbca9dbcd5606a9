//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"syscall"
	"time"
)

// reapOrphans reaps what remains of the killed process group of a dead child. As the first
// process of a container, this process has inherited those orphans, and nothing else reaps them.
// They keep the group's id from being reused. It returns once the group is empty, so it reaps
// nothing else. After a minute it gives up on a process that cannot die because a system call
// does not return.
func reapOrphans(pgid int) {
	pause := time.Millisecond
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		pid, err := syscall.Wait4(-pgid, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR || err == nil && pid > 0:
		case err != nil: // ECHILD: the group is empty
			return
		default:
			time.Sleep(pause)
			pause = min(2*pause, 100*time.Millisecond)
		}
	}
}
