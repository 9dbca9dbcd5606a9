//go:build linux || freebsd || netbsd || openbsd || dragonfly

package fdpass

import "golang.org/x/sys/unix"

// noSignal prevents SIGPIPE when the other end of the socket is closed.
const noSignal = unix.MSG_NOSIGNAL

// recvmsg makes received descriptors close-on-exec.
func recvmsg(fd int, first, second, control []byte, flags int) (n, controlled, got int, err error) {
	return recv(fd, first, second, control, flags|unix.MSG_CMSG_CLOEXEC)
}
