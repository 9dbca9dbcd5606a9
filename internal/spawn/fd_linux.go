package spawn

import (
	"encoding/hex"
	"os"

	"golang.org/x/sys/unix"
)

// pipe makes a blocking pipe, closed on exec.
func pipe() (r, w int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, os.NewSyscallError("pipe2", err)
	}
	return p[0], p[1], nil
}

// socketBuffer is how many bytes may be on their way. The system allows an ordinary user
// less by default, but twice what a socket has without asking.
const socketBuffer = 1 << 20

// socketPair makes the control socket, nonblocking and closed on exec.
func socketPair() (parent, child int, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, -1, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range p {
		// An error, or less than was asked for: then large messages wake both sides more often.
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer)
	}
	return p[0], p[1], nil
}

// newNonce is a name that nothing can guess, by which a child knows its socket and its
// parent the marks of captures.
func newNonce() (string, error) {
	var b [nonceLen / 2]byte
	for n := 0; n < len(b); {
		m, err := unix.Getrandom(b[n:], 0)
		if err != nil && err != unix.EINTR {
			return "", os.NewSyscallError("getrandom", err)
		}
		n += max(m, 0)
	}
	return hex.EncodeToString(b[:]), nil
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// dup makes to a copy of fd, whatever it was.
func dup(fd, to int) error { return unix.Dup3(fd, to, 0) }
