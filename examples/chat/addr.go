package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const (
	defaultPort = 7890            // that of the notes' programs
	lookupTime  = 3 * time.Second // a name that takes longer has no use in a chat
)

// errCutShort is why a host was not found when the program leaves meanwhile.
var errCutShort = errors.New("what was typed after it is not sent")

// splitPeer takes host:port apart, and says what is wrong with it.
func splitPeer(s string) (host string, port uint16, err error) {
	host, number, err := net.SplitHostPort(s)
	switch {
	case err != nil:
		return "", 0, fmt.Errorf("%s is not host:port, such as 127.0.0.1:%d or [::1]:%[2]d", escape(s), defaultPort)
	case host == "":
		return "", 0, fmt.Errorf("%s has no host before the port", escape(s))
	}
	if number == "" {
		return "", 0, fmt.Errorf("%s has no port behind the host", escape(s))
	}
	port, err = parsePort(number)
	return host, port, err
}

func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%s is not a port: a number from 1 to 65535", escape(s))
	}
	return uint16(n), nil
}

// lookup finds the address of a host that can be sent to from the address local. It waits
// for the resolver, three seconds at most. The error is errCutShort when ctx ends.
func lookup(ctx context.Context, host string, local netip.Addr) (netip.Addr, error) {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if addr, err := netip.ParseAddr(host); err == nil {
		return fits(addr.Unmap(), host, local)
	}
	if !plain(host) || strings.ContainsAny(host, " /\\") {
		return netip.Addr{}, fmt.Errorf("%s is neither an address nor the name of a host", escape(host))
	}
	limited, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(limited, "ip", host)
	var dns *net.DNSError
	switch {
	case err != nil && ctx.Err() != nil:
		return netip.Addr{}, fmt.Errorf("the address of %s was not found in time: %w", escape(host), errCutShort)
	case errors.As(err, &dns) && dns.IsNotFound:
		return netip.Addr{}, fmt.Errorf("no host with the name %s was found", escape(host))
	case err != nil:
		return netip.Addr{}, fmt.Errorf("the address of %s was not found: %s", escape(host), escape(err.Error()))
	}
	return choose(addrs, host, local)
}

// choose takes the first address that fits, IPv4 before IPv6 as package net does.
func choose(addrs []netip.Addr, host string, local netip.Addr) (netip.Addr, error) {
	var six netip.Addr
	for _, a := range addrs {
		a, err := fits(a.Unmap(), host, local)
		switch {
		case err != nil:
		case a.Is4():
			return a, nil
		case !six.IsValid():
			six = a
		}
	}
	if !six.IsValid() {
		return netip.Addr{}, fmt.Errorf("%s has no address that can be reached from %s, where this program listens", escape(host), local)
	}
	return six, nil
}

// fits says whether local and addr are of one family. Listening on all addresses of IPv6
// means those of IPv4, too.
func fits(addr netip.Addr, host string, local netip.Addr) (netip.Addr, error) {
	if addr.Is4() == local.Is4() || local == netip.IPv6Unspecified() {
		return addr, nil
	}
	return netip.Addr{}, fmt.Errorf("%s cannot be reached from %s, where this program listens: one is IPv4, the other IPv6", escape(host), local)
}

// The notes' programs write an address in two ways: by hand, and as Python shows a tuple.
func bare(a netip.AddrPort) string  { return fmt.Sprintf("(%s, %d)", shownIP(a), a.Port()) }
func tuple(a netip.AddrPort) string { return fmt.Sprintf("('%s', %d)", shownIP(a), a.Port()) }

// shownIP is an address with its zone, which is the name of a network card.
func shownIP(a netip.AddrPort) string { return escape(a.Addr().Unmap().String()) }
