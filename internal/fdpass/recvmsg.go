//go:build linux || freebsd || netbsd || openbsd || dragonfly

package fdpass

import "golang.org/x/sys/unix"

// noSignal prevents SIGPIPE when the other end of the socket is closed.
const noSignal = unix.MSG_NOSIGNAL

// receiveMessage is recvmsg that makes received descriptors close-on-exec.
func receiveMessage(fd int, p, control []byte) (n, controlled, flags int, err error) {
	n, controlled, flags, _, err = unix.Recvmsg(fd, p, control, unix.MSG_CMSG_CLOEXEC)
	return n, controlled, flags, err
}
