package readiness

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Ready reports whether a read would not block: there is data, the end, or an error. A closed
// file is ready, because a read of it fails at once.
func Ready(c syscall.RawConn) bool {
	ready := false
	err := c.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}}
		for {
			n, err := unix.Poll(p, 0)
			if err == unix.EINTR {
				continue
			}
			ready = n > 0 || err != nil
			return
		}
	})
	return ready || err != nil
}

// recheckInterval is how often Watch calls notify in any case, because the kernel does not report
// that a file was closed.
const recheckInterval = 100 * time.Millisecond

// Watch calls notify, which must not block, whenever one of the files may have become ready, and
// ten times a second. stop ends that and waits for a running call of notify. Watch costs a
// goroutine and a descriptor, but no thread. It fails if the system refuses, mostly because no
// descriptor is available.
func Watch(files []syscall.RawConn, notify func()) (stop func(), err error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	for _, c := range files {
		if err := add(fd, c); err != nil {
			unix.Close(fd)
			return nil, err
		}
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that the runtime can wait for it
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	epoll := os.NewFile(uintptr(fd), "epoll")
	raw, err := epoll.SyscallConn()
	if err != nil {
		epoll.Close()
		return nil, err
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		for err := os.ErrDeadlineExceeded; errors.Is(err, os.ErrDeadlineExceeded); {
			epoll.SetReadDeadline(time.Now().Add(recheckInterval)) // an error: it was closed
			err = raw.Read(func(uintptr) bool {
				notify()
				return false // wait for the next event
			})
		}
	})
	return func() {
		epoll.Close()
		watching.Wait()
	}, nil
}

// add adds a file to an epoll.
func add(epoll int, c syscall.RawConn) error {
	var err error
	closed := c.Control(func(fd uintptr) {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, int(fd), &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP})
	})
	switch {
	case closed != nil: // it is ready
	case errors.Is(err, unix.EEXIST): // the same file twice
	case errors.Is(err, unix.EPERM): // a file that never blocks: it is ready
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("%w: the limit is /proc/sys/fs/epoll/max_user_watches", os.NewSyscallError("epoll_ctl", err))
	case err != nil:
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}
