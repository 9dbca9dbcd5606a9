package spawn

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const fionread = unix.TIOCINQ

// outputs looks at the pipes that a child prints to. It is an epoll of its own: one system
// call that costs the same for any number of pipes and children, and the least of all
// that there are.
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

// ready says that one of the pipes is not empty, or has no writer any more. One goroutine calls it
// at a time: that is cheaper to guard than an os.File is, and each call of a pool comes here.
func (o *outputPoller) ready() bool {
	o.polling.Store(true)
	defer o.polling.Store(false)
	if o.closed.Load() {
		return true
	}
	// It returns at once, so the scheduler need not know. Without memory for an event the
	// answer is EFAULT if there is one.
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(o.fd), 0, 1, 0, 0, 0)
	return n != 0 || errno != 0
}

// close waits for a look that is under way, which waits for nothing.
func (o *outputPoller) close() {
	if o.closed.Swap(true) {
		return
	}
	for o.polling.Load() {
		time.Sleep(10 * time.Microsecond)
	}
	unix.Close(o.fd)
}
