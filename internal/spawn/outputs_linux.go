package spawn

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const fionread = unix.TIOCINQ

// outputs looks at the pipes that a child prints to. It is an epoll of its own: one system
// call that costs the same for any number of pipes and children, and the least of all
// that there are.
type outputs struct {
	file  *os.File
	raw   syscall.RawConn
	look  func(fd uintptr) // once, so that a look allocates nothing
	found bool
}

func newOutputs(pipes ...*os.File) (*outputs, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	o := &outputs{file: os.NewFile(uintptr(fd), "outputs")}
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
			o.file.Close()
			return nil, os.NewSyscallError("epoll_ctl", err)
		}
	}
	if o.raw, err = o.file.SyscallConn(); err != nil {
		o.file.Close()
		return nil, err
	}
	o.look = func(fd uintptr) {
		// It returns at once, so the scheduler need not know. Without memory for an event the
		// answer is EFAULT if there is one.
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, 0, 1, 0, 0, 0)
		o.found = n != 0 || errno != 0
	}
	return o, nil
}

// ready says that one of the pipes is not empty, or has no writer any more.
func (o *outputs) ready() bool {
	o.found = true
	if o.raw.Control(o.look) != nil {
		return true // it is closed
	}
	return o.found
}

func (o *outputs) close() { o.file.Close() }
