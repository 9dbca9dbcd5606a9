package host

import (
	"os"

	"golang.org/x/sys/unix"
)

// hangUp ends the socket of a dead worker behind what it has sent, and for what is
// sent to it: something else may hold the other end. What was sent can be read
// however long that takes.
func hangUp(conn *os.File) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_RDWR) }) // an error: it is closed, which is as good
}
