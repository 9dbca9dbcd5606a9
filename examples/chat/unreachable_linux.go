package main

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// tellUnreachable asks the system to keep what routers and hosts answer to a message that
// did not arrive. Without it a socket that talks to many peers hears nothing of them. If
// it cannot be had the chat goes on without.
func tellUnreachable(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { // both: a socket of IPv6 talks IPv4 as well
		unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
		unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
	})
}

// unreachable takes the answers that have come. It does not wait.
func unreachable(conn *net.UDPConn) []failure {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	var found []failure
	raw.Control(func(fd uintptr) {
		oob := make([]byte, 512)
		for range 1000 { // more can wait for the next call
			_, n, _, from, err := unix.Recvmsg(int(fd), nil, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return
			}
			if f, ok := readFailure(oob[:n], from); ok {
				found = append(found, f)
			}
		}
	})
	return found
}

// readFailure takes one answer apart: a struct sock_extended_err, which begins with the
// error, and the address that the message was for.
func readFailure(oob []byte, to unix.Sockaddr) (failure, bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return failure{}, false
	}
	for _, m := range messages {
		four := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		six := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if (!four && !six) || len(m.Data) < 4 {
			continue
		}
		errno := syscall.Errno(binary.NativeEndian.Uint32(m.Data))
		switch to := to.(type) {
		case *unix.SockaddrInet4:
			return failure{netip.AddrPortFrom(netip.AddrFrom4(to.Addr), uint16(to.Port)), errno}, true
		case *unix.SockaddrInet6:
			return failure{netip.AddrPortFrom(netip.AddrFrom16(to.Addr).Unmap(), uint16(to.Port)), errno}, true
		}
	}
	return failure{}, false
}
