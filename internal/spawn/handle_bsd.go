//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxRSSUnit is the unit of ru_maxrss in bytes.
var maxRSSUnit = map[bool]int64{true: 1, false: 1024}[runtime.GOOS == "darwin" || runtime.GOOS == "ios"]

// waitExit returns when the child has ended, and reports whether it can be reaped. It occupies a
// thread.
func (p *Process) waitExit() (reapable bool) {
	kq, err := unix.Kqueue()
	if err != nil {
		return true // reaping blocks as well; only the group is killed late
	}
	defer unix.Close(kq)
	unix.CloseOnExec(kq)
	var watch unix.Kevent_t
	unix.SetKevent(&watch, p.pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	watch.Fflags = unix.NOTE_EXIT
	events := make([]unix.Kevent_t, 1)
	changes := []unix.Kevent_t{watch}
	for {
		n, err := unix.Kevent(kq, changes, events, nil)
		if err == unix.EINTR {
			changes = nil
			continue
		}
		if err != nil || n > 0 {
			return true // the error is ESRCH: the child is dead already
		}
	}
}

func (p *Process) closePidfd() {}

// signalGroup signals the group. p.mu is held and the child is not reaped.
func (p *Process) signalGroup(sig syscall.Signal) error { return syscall.Kill(-p.pid, sig) }

// signalLeader signals only the child.
func (p *Process) signalLeader(sig syscall.Signal) error { return syscall.Kill(p.pid, sig) }
