package spawn

import (
	"encoding/hex"
	"os"

	"golang.org/x/sys/unix"
)

// pipe makes a blocking close-on-exec pipe.
func pipe() (r, w int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, os.NewSyscallError("pipe2", err)
	}
	return p[0], p[1], nil
}

// socketBuffer is the requested size of a socket's send buffer in bytes. By default the system
// allows an ordinary user less, but still twice the initial size.
const socketBuffer = 1 << 20

// socketPair makes the control socket, nonblocking and close-on-exec.
func socketPair() (parent, child int, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, -1, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range p {
		// With a smaller buffer, large messages only wake both sides more often.
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, socketBuffer)
	}
	return p[0], p[1], nil
}

// newNonce returns an unguessable string by which a child recognises its socket, and its parent
// recognises markers.
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

// dup makes to a copy of fd.
func dup(fd, to int) error { return unix.Dup3(fd, to, 0) }
