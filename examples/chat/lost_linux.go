package main

import (
	"net"

	"golang.org/x/sys/unix"
)

// lost is how many datagrams the system has dropped since the socket was opened, because
// they were not taken in time.
func lost(conn *net.UDPConn) (n int64) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) {
		// SO_MEMINFO is nine numbers of 32 bits, of which the last one is meant. Package unix
		// has no type for them; Lost is the ninth in the struct that is asked for TCP.
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_SOCKET, unix.SO_MEMINFO); err == nil {
			n = int64(info.Lost)
		}
	})
	return n
}
