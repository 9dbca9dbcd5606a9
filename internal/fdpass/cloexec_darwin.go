package fdpass

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// noSignal is 0: the runtime ignores SIGPIPE of sockets.
const noSignal = 0

// recvmsg makes received descriptors close-on-exec. This system has no flag for that, so recvmsg
// prevents forks meanwhile.
func recvmsg(fd int, first, second, control []byte, flags int) (n, controlled, got int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, controlled, got, err = recv(fd, first, second, control, flags)
	if err == nil && controlled > 0 {
		eachDescriptor(control[:controlled], unix.CloseOnExec)
	}
	return n, controlled, got, err
}
