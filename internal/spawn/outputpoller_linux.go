package spawn

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const fionread = unix.TIOCINQ

// outputPoller checks whether the pipes that a child prints to are readable. It has an epoll of
// its own: one cheap system call, whatever the number of pipes and children.
type outputPoller struct {
	fd      int
	polling atomic.Bool // the descriptor is in use
	closed  atomic.Bool
}

func newOutputPoller(pipes ...*os.File) (*outputPoller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	for _, p := range pipes {
		raw, err := p.SyscallConn()
		if err == nil {
			e := raw.Control(func(pipe uintptr) {
				err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, int(pipe), &unix.EpollEvent{Events: unix.EPOLLIN})
			})
			if err == nil {
				err = e
			}
		}
		if err != nil {
			unix.Close(fd)
			return nil, os.NewSyscallError("epoll_ctl", err)
		}
	}
	return &outputPoller{fd: fd}, nil
}

// ready reports whether one of the pipes has data or no writer. Only one goroutine may call it at
// a time. Every call of a pool comes here, and this guard is cheaper than that of an os.File.
func (o *outputPoller) ready() bool {
	o.polling.Store(true)
	defer o.polling.Store(false)
	if o.closed.Load() {
		return true
	}
	// It does not block, so the scheduler need not know. Passing no memory for events makes the
	// result EFAULT if there is one.
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(o.fd), 0, 1, 0, 0, 0)
	return n != 0 || errno != 0
}

// close waits for a running call of ready, which does not block.
func (o *outputPoller) close() {
	if o.closed.Swap(true) {
		return
	}
	for o.polling.Load() {
		time.Sleep(10 * time.Microsecond)
	}
	unix.Close(o.fd)
}
