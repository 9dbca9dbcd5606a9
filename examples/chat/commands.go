package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// stage is what the next line is an answer to.
type stage int

const (
	asksChoice stage = iota
	asksAddress
	asksPort
	asksText
)

// line is a line that was typed.
type line struct {
	text  string
	bytes int // more than len(text): the rest was not kept, the line is longer than any message
}

const help = `each line is sent; one that begins with / is for the program, with // it is sent with one /
/peer host:port   talk to someone else
/history [n]      show the last n lines of the history
/help             show this
/quit             leave`

// begin shows the first question: the menu, or the lines to a peer that is known.
func (c *chat) begin(peer netip.AddrPort) {
	c.menu = !peer.IsValid()
	if c.menu {
		c.ask(asksChoice)
		return
	}
	c.talkTo(peer)
}

func (c *chat) talkTo(peer netip.AddrPort) {
	c.peer = peer
	c.ask(asksText)
}

// ask shows what the next line is for.
func (c *chat) ask(next stage) {
	c.asks = next
	switch next {
	case asksChoice:
		c.screen.ask("1 发送消息 (send)  2 退出 (leave): ")
	case asksAddress:
		c.screen.ask("请输入对方的地址 (address): ")
	case asksPort:
		c.screen.ask("请输入对方的端口 (port): ")
	case asksText:
		c.screen.ask("发送到" + bare(c.peer) + ": ")
	}
}

// obey does what a line says. It waits for the resolver when the line names a host, and
// says whether the line was to leave.
func (c *chat) obey(ctx context.Context, l line) (leave bool) {
	text := l.text
	command := strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//")
	switch {
	case c.asks == asksText && l.bytes > len(text):
		c.notSent(text, tooLong(l.bytes, mostIPv4))
	case command:
		c.screen.answered(text)
		return c.command(ctx, text)
	case c.asks == asksText && text == "":
		if c.menu {
			c.ask(asksChoice)
		}
	case c.asks == asksText:
		if strings.HasPrefix(text, "//") {
			text = text[1:]
		}
		c.say(text)
	default:
		c.screen.answered(text)
		return c.answer(ctx, strings.TrimSpace(text))
	}
	return false
}

// answer takes the answer to a question of the menu.
func (c *chat) answer(ctx context.Context, text string) (leave bool) {
	next := asksChoice
	switch {
	case c.asks == asksChoice && text == "2":
		return true
	case c.asks == asksChoice && text == "1":
		next = asksAddress
	case c.asks == asksChoice && text != "":
		c.screen.problem(escape(text) + " is neither 1 nor 2")
	case c.asks == asksAddress && text != "":
		return c.takeAddress(ctx, text)
	case c.asks == asksPort && text != "":
		next = c.takePort(text)
	}
	c.ask(next)
	return false
}

func (c *chat) takeAddress(ctx context.Context, text string) (leave bool) {
	host, err := lookup(c.hurry, text, c.local)
	if err != nil {
		if c.notFound(ctx, err) {
			return true
		}
		c.ask(asksAddress)
		return false
	}
	c.host = host
	c.ask(asksPort)
	return false
}

// notFound says why a host was not found, and whom lines still go to. The program leaves
// if there was no time for it, because what follows was meant for that host.
func (c *chat) notFound(ctx context.Context, err error) (leave bool) {
	text := err.Error()
	leave = errors.Is(err, errCutShort)
	if c.asks == asksText && !leave {
		text += "; lines still go to " + bare(c.peer)
	}
	if ctx.Err() == nil {
		c.screen.problem(text)
	}
	return leave
}

func (c *chat) takePort(text string) stage {
	port, err := parsePort(text)
	if err != nil {
		c.screen.problem(err.Error())
		return asksPort
	}
	c.peer = netip.AddrPortFrom(c.host, port)
	return asksText
}

// command does what a line with a slash says.
func (c *chat) command(ctx context.Context, text string) (leave bool) {
	words := strings.Fields(text)
	switch {
	case quits(text):
		return true
	case words[0] == "/help" && len(words) == 1:
		c.screen.lines(strings.Split(help, "\n")...)
	case words[0] == "/peer" && len(words) == 2:
		return c.switchTo(ctx, words[1])
	case words[0] == "/history" && len(words) <= 2:
		c.showHistory(words[1:])
	default:
		c.screen.problem(escape(text) + " is no command, so nothing was done: /help shows them, and //... sends a line that begins with /")
	}
	return false
}

// quits says whether a line says to leave.
func quits(text string) bool { return strings.TrimRight(text, " \t") == "/quit" }

func (c *chat) switchTo(ctx context.Context, peer string) (leave bool) {
	host, port, err := splitPeer(peer)
	var addr netip.Addr
	if err == nil {
		addr, err = lookup(c.hurry, host, c.local)
	}
	if err != nil {
		return c.notFound(ctx, err)
	}
	c.talkTo(netip.AddrPortFrom(addr, port))
	return false
}

// showHistory asks the thread that writes the history, so that everything is in it that
// was said before.
func (c *chat) showHistory(args []string) {
	n := usualLines
	if len(args) == 1 {
		var err error
		if n, err = strconv.Atoi(args[0]); err != nil || n < 1 || n > mostLines {
			c.screen.problem(fmt.Sprintf("/history %s: must be a number from 1 to %d", escape(args[0]), mostLines))
			return
		}
	}
	if c.history.queue.TryPut(job{lines: n}) != nil {
		c.screen.problem("the history does not keep up: try again")
	}
}

// say sends a text to the peer and gives it to the history.
func (c *chat) say(text string) {
	m := message{peer: c.peer, text: text}
	c.order.Lock()
	err := c.send(m.peer, text)
	kept := err == nil && c.history.offer(m)
	c.order.Unlock()
	if err != nil {
		c.notSent(text, err)
		return
	}
	// Unlike the receiver the keyboard waits for the disk, until someone wants to leave.
	if !kept && !c.history.waitForRoom(c.hurry, m) {
		c.history.missing.Add(1)
		c.screen.problem(fmt.Sprintf("sent to %s, but the history does not keep up and misses it: %s", bare(c.peer), beginning(text)))
	}
}

func (c *chat) notSent(text string, err error) {
	c.screen.problem(fmt.Sprintf("not sent to %s: %s (%s)", bare(c.peer), beginning(text), escape(reason(err))))
}
