package pipe

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// socketBuffer is how many bytes may be on their way. The system allows an ordinary user
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
	set fileSet
	has bool // there is a set
	err error
}

// receive reads what is there into direct and then tail. It does not wait.
func receive(fd int, direct, tail, oob []byte) (got received) {
	return receiveBy(fd, direct, tail, oob, 0)
}

func receiveBy(fd int, direct, tail, oob []byte, flags int) (got received) {
	var oobn, is int
	if got.n, oobn, is, got.err = read(fd, direct, tail, oob, flags); got.err != nil {
		return got
	}
	if oobn > 0 || is&unix.MSG_CTRUNC != 0 {
		got.has = true
		got.set = fileSet{filesIn(oob[:oobn]), is&unix.MSG_CTRUNC != 0}
	}
	return got
}

// receiveKept is receive that takes nothing if this process has no room for the descriptors
// that come along: then the error is EMFILE. It looks first, which duplicates the descriptors, and
// then takes as many bytes away, with the originals. That is a system call more.
func receiveKept(fd int, direct, tail, oob []byte) (got received) {
	if got = receiveBy(fd, direct, tail, oob, unix.MSG_PEEK); got.err != nil || got.n == 0 {
		return got
	}
	if got.set.truncated {
		got.set.close()
		return received{err: unix.EMFILE}
	}
	direct = direct[:min(got.n, len(direct))]
	n, _, is, err := read(fd, direct, tail[:got.n-len(direct)], nil, 0)
	if err != nil || n != got.n {
		got.set.close()
		return received{err: errors.Join(errUnstable, err)}
	}
	if got.has && is&unix.MSG_CTRUNC == 0 { // none were taken away: looking, one sees those of what follows, too
		got.set.close()
		got.has, got.set = false, fileSet{}
	}
	return got
}

// errUnstable: somebody else reads from the socket.
var errUnstable = fmt.Errorf("%w: what was there is gone", ErrProtocol)

// read is recvmsg that does not wait. An error has read nothing.
func read(fd int, direct, tail, oob []byte, more int) (n, oobn, is int, err error) {
	flags := unix.MSG_DONTWAIT | unix.MSG_CMSG_CLOEXEC | more
	for {
		if len(direct) == 0 {
			n, oobn, is, _, err = unix.Recvmsg(fd, tail, oob, flags)
		} else {
			n, oobn, is, _, err = unix.RecvmsgBuffers(fd, [][]byte{direct, tail}, oob, flags)
		}
		switch err {
		case nil:
			return n, oobn, is, nil
		case unix.EINTR:
		default:
			return 0, 0, 0, err
		}
	}
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
