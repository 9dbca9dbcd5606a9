//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"encoding/hex"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// pipe makes a blocking close-on-exec pipe.
func pipe() (r, w int, err error) {
	var p [2]int
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(p[:]); err != nil {
		return -1, -1, os.NewSyscallError("pipe", err)
	}
	unix.CloseOnExec(p[0])
	unix.CloseOnExec(p[1])
	return p[0], p[1], nil
}

// socketPair makes the control socket, nonblocking and close-on-exec.
func socketPair() (parent, child int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, -1, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range p {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			unix.Close(p[0])
			unix.Close(p[1])
			return -1, -1, os.NewSyscallError("setnonblock", err)
		}
	}
	return p[0], p[1], nil
}

// newNonce returns an unguessable string by which a child recognises its socket, and its parent
// recognises markers.
func newNonce() (string, error) {
	f, err := os.Open("/dev/urandom")
	if err != nil {
		return "", err
	}
	defer f.Close()
	var b [nonceLen / 2]byte
	if _, err := io.ReadFull(f, b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TIOCGETA)
	return err == nil
}

// dup makes to a copy of fd.
func dup(fd, to int) error { return unix.Dup2(fd, to) }
