package main

import "net/netip"

// message is what was sent to a peer, or came from one.
type message struct {
	peer netip.AddrPort
	came bool
	text string
}

// entry is the line of a message in the history, without the line break.
func (m message) entry() string {
	if m.came {
		return ">>>" + tuple(m.peer) + ":" + escape(m.text)
	}
	return "<<<" + bare(m.peer) + ":" + escape(m.text)
}

// shown is the line of a message on the screen.
func (m message) shown() string {
	if m.came {
		return "接收到来自于" + bare(m.peer) + "的数据:" + escape(m.text)
	}
	return "发送到" + bare(m.peer) + "的数据:" + escape(m.text)
}
