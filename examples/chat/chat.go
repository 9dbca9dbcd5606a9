package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// How long leaving waits for each of these, together less than a second.
const (
	lastTyped  = 250 * time.Millisecond // for an address, or room in the queue, for what was typed before
	lastLook   = 50 * time.Millisecond  // for what has come and was not received yet
	lastWrites = 300 * time.Millisecond
	lastWords  = 200 * time.Millisecond
)

// chat is the program with everything open.
type chat struct {
	conn     *net.UDPConn
	local    netip.Addr
	screen   screen
	history  *history
	receiver *receiver
	notices  *notices
	order    sync.Mutex // from sending a message until the history has it: its answer comes behind it

	hurry context.Context // ends when there is no time any more to wait for a disk or a resolver
	asks  stage
	menu  bool           // an empty line goes back to it
	host  netip.Addr     // that was given to the menu
	peer  netip.AddrPort // that lines go to
}

func newChat(conn *net.UDPConn, file *os.File, out screen) *chat {
	c := &chat{conn: conn, local: localAddr(conn), screen: out, notices: newNotices()}
	c.receiver = &receiver{conn: conn, most: mostIPv6, notices: c.notices}
	c.history = newHistory(file, out, c.receiver.dropped)
	c.receiver.keep = func(m message) bool {
		c.order.Lock()
		defer c.order.Unlock()
		return c.history.offer(m)
	}
	return c
}

// run chats until somebody leaves, and gives the exit code.
func (c *chat) run(ctx context.Context, peer netip.AddrPort) int {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	// What came is written and shown also when ctx has ended.
	after := context.WithoutCancel(ctx)
	start := func(name string, run func(context.Context) error) *thread.Thread {
		t, _ := thread.Start(after, name, func(ctx context.Context) error { // it has no error: after does not end
			defer leave() // if it ends on its own the chat does not work any more
			return run(ctx)
		})
		return t
	}
	receiving := start("receiver", c.receiver.run)
	writing := start("history", c.history.run)
	telling := start("notices", c.notices.show(c.screen))
	c.screen.lines(fmt.Sprintf("listening on %s, history in %s; /help shows what can be typed",
		c.conn.LocalAddr(), escape(c.history.name)))
	c.begin(peer)

	hurry, stopWaiting := context.WithCancel(ctx)
	defer stopWaiting()
	c.hurry = hurry
	hurryUp := func() { time.AfterFunc(lastTyped, stopWaiting) }
	typed, _ := thread.NewQueue[line](c.screen.typeAhead()) // it has no error
	thread.Start(ctx, "keyboard", func(ctx context.Context) error {
		defer typed.Close()
		defer hurryUp()
		return c.screen.read(ctx, func(l line) bool {
			if quits(l.text) {
				hurryUp() // the lines before it may be waiting
			}
			return typed.Put(ctx, l) == nil
		}, leave)
	})
	// Of its own, because it may wait for a screen that takes nothing.
	conversing := start("conversation", func(context.Context) error {
		c.converse(ctx, typed)
		return nil
	})
	<-ctx.Done()
	return c.leave(conversing, receiving, writing, telling)
}

// converse does what the lines say until one says to leave, or there are no more.
func (c *chat) converse(ctx context.Context, typed *mp.Queue[line]) {
	for l, err := range typed.All(ctx) {
		if err != nil || c.obey(ctx, l) {
			return
		}
	}
}

// leave lets the threads finish, in the order in which they feed each other, and gives the
// exit code. None is waited for longer than it may take: a disk can be stuck.
func (c *chat) leave(conversing, receiving, writing, telling *thread.Thread) int {
	c.finish(conversing, lastLook)
	c.conn.SetReadDeadline(time.Now().Add(lastLook))
	code := c.finish(receiving, lastWords)
	c.history.queue.Close()
	code = max(code, c.finish(writing, lastWrites))
	if n := c.history.waiting.Load(); n > 0 {
		c.notices.say("%d messages may be missing in the history: writing it takes too long", n)
		code = exitFailed
	}
	if n := c.history.missing.Load() + c.receiver.dropped(); n > 0 {
		c.notices.say("%d messages are missing in the history", n)
		code = exitFailed
	}
	c.notices.queue.Close()
	code = max(code, c.finish(telling, lastWords))
	c.screen.close()
	return code
}

// finish waits for a thread to end. One that has not ended in time is no failure in itself:
// what it leaves undone is counted elsewhere.
func (c *chat) finish(t *thread.Thread, limit time.Duration) int {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := t.Join(ctx); err != nil && !t.Alive() {
		c.notices.say("the %s thread ended: %s", t.Name(), escape(err.Error()))
		return exitFailed
	}
	return exitDone
}
