package spawn

import (
	"cmp"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxRSSUnit is the unit of ru_maxrss in bytes.
const maxRSSUnit = 1024

// pidfdSignalProcessGroup is PIDFD_SIGNAL_PROCESS_GROUP of Linux 6.9.
const pidfdSignalProcessGroup = 1 << 2

// waitExit returns when the child has ended, and reports whether it can be reaped. The pidfd
// becomes readable then, so a running child costs a parked goroutine and no thread.
func (p *Process) waitExit() (reapable bool) {
	if p.pidfd >= 0 {
		if err := p.pollPidfd(); err == nil || err == unix.ECHILD {
			return err == nil
		}
	}
	err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	for err == unix.EINTR {
		err = unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	}
	return err == nil
}

// pollPidfd waits for the end of the child. ECHILD means that something else in this program has
// reaped it; any other error means that the kernel is too old.
func (p *Process) pollPidfd() error {
	if err := unix.SetNonblock(p.pidfd, true); err != nil {
		return err
	}
	f := os.NewFile(uintptr(p.pidfd), "pidfd")
	p.mu.Lock()
	p.pidfdFile = f
	p.mu.Unlock()
	if err := f.SetReadDeadline(time.Time{}); err != nil {
		return err // not supported by the poller
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		var info unix.Siginfo
		failed = unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
		return failed != nil || info.Signo != 0 // 0: it is still running
	})
	return cmp.Or(failed, err)
}

func (p *Process) closePidfd() {
	if p.pidfdFile != nil {
		p.pidfdFile.Close()
	} else {
		unix.Close(p.pidfd)
	}
	p.pidfd = -1
}

// signalGroup signals the group. p.mu is held and the child is not reaped. A pidfd identifies the
// right group even if something else in this program has reaped the child, and it works after the
// leader's death. Older kernels accept a pidfd only for single processes.
func (p *Process) signalGroup(sig syscall.Signal) error {
	if p.pidfd >= 0 {
		err := unix.PidfdSendSignal(p.pidfd, sig, nil, pidfdSignalProcessGroup)
		if err == nil || err == unix.ESRCH {
			return err
		}
	}
	return syscall.Kill(-p.pid, sig)
}

// signalLeader signals only the child.
func (p *Process) signalLeader(sig syscall.Signal) error {
	if p.pidfd >= 0 {
		return unix.PidfdSendSignal(p.pidfd, sig, nil, 0)
	}
	return syscall.Kill(p.pid, sig)
}
