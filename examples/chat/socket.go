package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"unicode/utf8"
)

// The most bytes of text in a datagram: 65,535 less the headers. The lengths of IPv6 do
// not count its own header.
const (
	mostIPv4 = 65507
	mostIPv6 = 65527
)

// listen opens the socket that everything goes through, so that a peer sees the port to
// answer to.
func listen(ctx context.Context, address string) (*net.UDPConn, error) {
	var config net.ListenConfig
	pc, err := config.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	conn := pc.(*net.UDPConn)
	// What comes in a burst waits in the kernel. It gives what it allows, and less will do.
	conn.SetReadBuffer(4 << 20)
	tellUnreachable(conn)
	return conn, nil
}

func localAddr(conn *net.UDPConn) netip.Addr {
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// send sends one message. An error says why it did not leave; one that left may be lost
// all the same, as it is with UDP.
func (c *chat) send(to netip.AddrPort, text string) error {
	most := mostIPv6
	if to.Addr().Is4() {
		most = mostIPv4
	}
	switch {
	case len(text) > most:
		return tooLong(len(text), most)
	case !utf8.ValidString(text):
		return errors.New("it is not UTF-8")
	}
	_, err := c.conn.WriteToUDPAddrPort([]byte(text), to)
	if err != nil {
		// The system tells here, too, that an earlier message did not arrive, and has not
		// sent this one then.
		c.receiver.undelivered()
		_, err = c.conn.WriteToUDPAddrPort([]byte(text), to)
	}
	if err != nil && c.local.IsLoopback() {
		return fmt.Errorf("%s; from %s, where this program listens, only this machine can be reached", reason(err), c.local)
	}
	return err
}

func tooLong(length, most int) error {
	return fmt.Errorf("it has %d bytes of UTF-8, and a datagram takes %d", length, most)
}
