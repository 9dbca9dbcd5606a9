//go:build linux || freebsd || netbsd || openbsd || dragonfly

package wire

import "golang.org/x/sys/unix"

// noSignal keeps a write to a socket that nobody reads from being a signal.
const noSignal = unix.MSG_NOSIGNAL

// receiveMessage is recvmsg with descriptors that are closed on exec.
func receiveMessage(fd int, p, control []byte) (n, controlled, flags int, err error) {
	n, controlled, flags, _, err = unix.Recvmsg(fd, p, control, unix.MSG_CMSG_CLOEXEC)
	return n, controlled, flags, err
}
