package pipe

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// socketBuffer is how many bytes may be in flight. The system allows an ordinary user
// less by default, but twice what a socket has without asking; a small message takes a KiB.
const socketBuffer = 1 << 20

// pair makes the two sockets of a pipe, nonblocking and closed on exec.
func pair() (a, b *os.File, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, errtext.Errorf("mp: a pipe: %w", os.NewSyscallError("socketpair", err))
	}
	for _, fd := range p {
		// An error, or less than was asked for: then senders wait sooner.
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer)
	}
	return os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe"), nil
}

// collectInFlight makes the kernel look for sockets that are only in flight to each other, such as
// one that was sent through its own pair. The kernel does so when a socket is closed.
func collectInFlight() {
	if p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
		unix.Close(p[0])
		unix.Close(p[1])
	}
}

// adoptSocket returns a file for the socket of a pipe that came from another process, such that
// waiting for it takes no thread. It closes f unless it returns it.
func adoptSocket(f *os.File) (*os.File, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	var own *os.File
	same := false
	control := raw.Control(func(fd uintptr) {
		if err = isStream(int(fd)); err != nil {
			return
		}
		if same = unblocked(int(fd)) && pollable(f); same {
			own = f
			return
		}
		if err = unix.SetNonblock(int(fd), true); err == nil {
			own, err = duplicate(int(fd))
		}
	})
	if !same {
		f.Close()
	}
	return own, errors.Join(control, err)
}

func isStream(fd int) error {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return fmt.Errorf("the descriptor is not a socket: %w", err)
	}
	if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_STREAM || domain != unix.AF_UNIX {
		return errors.New("the descriptor is not of a pipe")
	}
	return nil
}

func unblocked(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_NONBLOCK != 0
}

// duplicate returns another descriptor of the socket.
func duplicate(fd int) (*os.File, error) {
	d, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(d), "pipe"), nil
}

// readable reports whether reading would return at once: bytes, end of file, or an error.
func readable(fd int) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p[:], 0)
		if err != unix.EINTR {
			return err != nil || n > 0
		}
	}
}

// sendFlags makes sending return instead of waiting.
const sendFlags = unix.MSG_DONTWAIT

// receive reads what is there into direct and then tail. It does not wait.
func receive(fd int, direct, tail, control []byte) (n int, set fdpass.Set, err error) {
	return fdpass.Recvmsg(fd, direct, tail, control, unix.MSG_DONTWAIT)
}

// receiveKept is receive that takes nothing if this process has no room for the descriptors that
// come along: then the error is EMFILE. It looks first, which duplicates the descriptors, and then
// takes as many bytes away, with the originals. That is one more system call.
func receiveKept(fd int, direct, tail, control []byte) (n int, set fdpass.Set, err error) {
	n, set, err = fdpass.Recvmsg(fd, direct, tail, control, unix.MSG_DONTWAIT|unix.MSG_PEEK)
	if err != nil || n == 0 {
		return n, set, err
	}
	if set.Lost {
		set.Close()
		return 0, fdpass.Set{}, unix.EMFILE
	}
	direct = direct[:min(n, len(direct))]
	taken, dropped, err := fdpass.Recvmsg(fd, direct, tail[:n-len(direct)], nil, unix.MSG_DONTWAIT)
	if err != nil || taken != n {
		set.Close()
		return 0, fdpass.Set{}, errors.Join(errUnstable, err)
	}
	if !dropped.Lost { // none were taken away: looking also shows those of what follows
		set.Close()
		set = fdpass.Set{}
	}
	return n, set, nil
}

// errUnstable: somebody else reads from the socket.
var errUnstable = fmt.Errorf("%w: another process reads from its socket", ErrProtocol)
