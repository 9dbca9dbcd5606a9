package fdpass

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// noSignal is 0: the runtime ignores SIGPIPE of sockets.
const noSignal = 0

// receiveMessage is recvmsg that makes received descriptors close-on-exec. This system has no
// flag for that, so it prevents forks meanwhile.
func receiveMessage(fd int, p, control []byte) (n, controlled, flags int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, controlled, flags, _, err = unix.Recvmsg(fd, p, control, 0)
	if err != nil || controlled <= 0 {
		return n, controlled, flags, err
	}
	messages, _ := unix.ParseSocketControlMessage(control[:controlled])
	for i := range messages {
		fds, _ := unix.ParseUnixRights(&messages[i])
		for _, fd := range fds {
			unix.CloseOnExec(fd)
		}
	}
	return n, controlled, flags, nil
}
