//go:build !linux

package main

import "net"

// Elsewhere a socket that talks to many peers hears of those that cannot be reached when
// it sends or receives, without an address, or not at all.
func tellUnreachable(*net.UDPConn) {}

func unreachable(*net.UDPConn) []failure { return nil }
