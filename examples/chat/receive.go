package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// receiver takes what comes. It waits for the network and for nothing else: neither for
// the disk nor for the screen.
type receiver struct {
	conn    *net.UDPConn
	most    int                // bytes of a message; the rest of a longer one is lost
	keep    func(message) bool // false: there is no room
	notices *notices
	noRoom  atomic.Int64 // messages that were dropped
	full    bool         // the last one was dropped
}

// failure is a message that did not arrive.
type failure struct {
	to  netip.AddrPort
	err error
}

// run receives until the read deadline passes or the socket is closed.
func (r *receiver) run(context.Context) error {
	buf := make([]byte, r.most+1) // by the one more a longer message is known
	failed := 0
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buf)
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		switch {
		case n > r.most:
			r.notices.say("the message from %s that begins with %s is longer than %d bytes: the rest is lost",
				bare(from), beginning(string(buf)), r.most)
			n = r.most
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			if !r.undelivered() {
				r.notices.say("receiving: %s", escape(reason(err)))
			}
			if failed++; failed > 10 {
				time.Sleep(time.Millisecond) // else an error that stays would take a whole core
			}
			continue
		}
		failed = 0
		r.take(message{peer: from, came: true, text: string(buf[:n])})
	}
}

// take hands a message over, or drops it if the queue is full.
func (r *receiver) take(m message) {
	if r.keep(m) {
		r.full = false
		return
	}
	r.noRoom.Add(1)
	if !r.full {
		r.full = true
		r.notices.say("the history does not keep up: what comes is dropped until there is room in its queue")
	}
}

// dropped is how many messages came and are lost: the queue had no room for them, or the
// system had none before they could be received.
func (r *receiver) dropped() int64 { return r.noRoom.Load() + lost(r.conn) }

// undelivered says of which messages the system has heard that they did not arrive, and
// whether there were any.
func (r *receiver) undelivered() bool {
	failures := unreachable(r.conn)
	for _, f := range failures {
		r.notices.say("%s cannot be reached: %s", bare(f.to), reason(f.err))
	}
	return len(failures) > 0
}

// beginning is enough of a text to know it by.
func beginning(text string) string {
	const enough = 40
	if len(text) <= enough {
		return escape(text)
	}
	end := enough
	for end > enough-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return escape(text[:end]) + "..."
}
