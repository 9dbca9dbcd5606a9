package pipe

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// socketBuffer is how many bytes may be on their way. The system allows an ordinary user
// less by default, but twice what a socket has without asking; a small message takes a KiB.
const socketBuffer = 1 << 20

// pair makes the two sockets of a pipe, nonblocking and closed on exec.
func pair() (a, b *os.File, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range p {
		// An error, or less than was asked for: then senders wait sooner.
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer)
	}
	return os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe"), nil
}

// collectInFlight has the kernel look for sockets that are only on their way to each other,
// such as one that was sent through its own pair. It does so when a socket is closed, which
// the sending of one does not make happen.
func collectInFlight() {
	if p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
		unix.Close(p[0])
		unix.Close(p[1])
	}
}

// adoptable is a file that came from another process, if it is a pipe's socket, and
// such that waiting for it ties up no thread. f is closed if it is not what is returned.
func adoptable(f *os.File) (*os.File, error) {
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
		return fmt.Errorf("the descriptor is no socket: %w", err)
	}
	if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_STREAM || domain != unix.AF_UNIX {
		return errors.New("the descriptor is no pipe's")
	}
	return nil
}

func unblocked(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_NONBLOCK != 0
}

// duplicate is the same socket once more.
func duplicate(fd int) (*os.File, error) {
	d, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(d), "pipe"), nil
}

// readable says whether reading would give something: bytes, end of file, an error.
func readable(fd int) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p[:], 0)
		if err != unix.EINTR {
			return err != nil || n > 0
		}
	}
}

// send sends one, or if that is nil many, along with descriptors. No signal comes of it, and it
// does not wait.
func send(fd int, one []byte, many [][]byte, fds []int) (n int, err error) {
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	for {
		if one != nil {
			n, err = unix.SendmsgN(fd, one, oob, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		} else {
			n, err = unix.SendmsgBuffers(fd, many, oob, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		}
		if err != unix.EINTR {
			return n, err
		}
	}
}

// oobSize is room for the descriptors of one chunk.
var oobSize = unix.CmsgSpace(chunkFiles * 4)

// received is what one look at a socket found.
type received struct {
	n   int // bytes; 0 without an error: end of file
	set set
	has bool // there is a set
	err error
}

// receive reads what is there into direct and then tail. It does not wait.
func receive(fd int, direct, tail, oob []byte) (got received) {
	const flags = unix.MSG_DONTWAIT | unix.MSG_CMSG_CLOEXEC
	var oobn, is int
	for {
		if len(direct) == 0 {
			got.n, oobn, is, _, got.err = unix.Recvmsg(fd, tail, oob, flags)
		} else {
			got.n, oobn, is, _, got.err = unix.RecvmsgBuffers(fd, [][]byte{direct, tail}, oob, flags)
		}
		if got.err != unix.EINTR {
			break
		}
	}
	if got.err != nil {
		got.n = 0
		return got
	}
	if oobn > 0 || is&unix.MSG_CTRUNC != 0 {
		got.has = true
		got.set = set{filesIn(oob[:oobn]), is&unix.MSG_CTRUNC != 0}
	}
	return got
}

// filesIn are the descriptors of control messages.
func filesIn(oob []byte) (files []*os.File) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files
}
