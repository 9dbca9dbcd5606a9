package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What comes while one types appears above the line that is typed, which stays whole, with
// wide characters and the cursor in its middle as well.
func TestTypedLineIsNotTorn(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startOnTerminal(t, 70, "-peer", peer.addr().String())
	addr := c.port()
	question := fmt.Sprintf("发送到(127.0.0.1, %d): ", peer.port())
	wide := 3 // the columns that are more than its bytes, of Chinese
	asked := len("发送到") - wide + len(fmt.Sprintf("(127.0.0.1, %d): ", peer.port()))
	incoming := func(text string) string {
		return fmt.Sprintf("接收到来自于(127.0.0.1, %d)的数据:%s", peer.port(), text)
	}
	const writes = "正在将1条消息写入chat.txt"

	c.showsLast(asked, strings.TrimSpace(question))
	c.keys("hello, 你好")
	c.showsLast(asked+11, question+"hello, 你好")
	peer.send(addr, "one")
	c.showsLast(asked+11, writes, incoming("one"), question+"hello, 你好")
	c.keys("\x1b[D\x1b[D\x7f") // left, left, backspace
	c.showsLast(asked+6, incoming("one"), question+"hello,你好")
	peer.send(addr, "\x1b[2Jtwo\r\n")
	c.showsLast(asked+6, writes, incoming(`\x1b[2Jtwo\r\n`), question+"hello,你好")
	for i := range 50 {
		peer.send(addr, fmt.Sprint("burst ", i))
	}
	c.keys("e\u0301X") // with a combining accent
	c.shows("the last of the burst", func(rows []string, col int) bool {
		return strings.Contains(strings.Join(rows, "\n"), incoming("burst 49")+"\n"+question+"hello,eX你好")
	})
	c.shows("the whole burst", func(rows []string, col int) bool {
		all := strings.Join(rows, "\n")
		for i := range 50 {
			all = strings.Replace(all, incoming(fmt.Sprint("burst ", i))+"\n", "", 1)
		}
		return !strings.Contains(all, "burst")
	})
	c.keys("\x7f\x7f\x1b[F!\r")
	peer.gets("hello,你好!", addr)
	c.showsLast(asked, writes, fmt.Sprintf("发送到(127.0.0.1, %d)的数据:hello,你好!", peer.port()), strings.TrimSpace(question))

	c.keys("/help\r")
	c.showsLast(asked, "/quit             leave", strings.TrimSpace(question))
	c.keys("\x1b[A\x1b[A") // up, up: what was sent
	c.showsLast(asked+11, question+"hello,你好!")
	c.keys("\x15/quit\r")
	c.ends()
}

// A line longer than the screen stays on one row, around the cursor.
func TestLongTypedLine(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startOnTerminal(t, 60, "-peer", peer.addr().String())
	addr := c.port()
	text := strings.Repeat("长长的一行字", 40) + "end"
	c.keys(text)
	peer.send(addr, "meanwhile")
	last := func(rows []string) string { return rows[len(rows)-1] }
	c.shows("the end of the line", func(rows []string, _ int) bool {
		return strings.HasSuffix(last(rows), "一行字end") && strings.Contains(strings.Join(rows, "\n"), "的数据:meanwhile\n")
	})
	c.keys("\x01")
	c.shows("its beginning", func(rows []string, _ int) bool {
		return strings.Contains(last(rows), "): 长长的一行字长长的")
	})
	must(t, unix.IoctlSetWinsize(int(c.program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 20}))
	c.keys("\x06")
	c.shows("no question on a narrow screen", func(rows []string, col int) bool {
		return last(rows) == "长长的一行字长长的" && col == 2
	})
	c.keys("\r")
	peer.gets(text, addr)
	c.keys("\x04") // Ctrl-D: the end
	c.ends()
}

// The menu's answers stay on the screen.
func TestMenuOnTerminal(t *testing.T) {
	t.Parallel()
	peer := newPeer(t, "127.0.0.1:0")
	c := startOnTerminal(t, 100)
	addr := c.port()
	c.keys("1\r127.0.0.1\r" + fmt.Sprint(peer.port()) + "\rhi\r")
	peer.gets("hi", addr)
	c.shows("the menu with the answers", func(rows []string, _ int) bool {
		return strings.Contains(strings.Join(rows, "\n"), fmt.Sprintf("(leave): 1\n请输入对方的地址 (address): 127.0.0.1\n请输入对方的端口 (port): %d\n", peer.port()))
	})
	c.keys("\r2\r")
	c.ends()
}

// Ctrl-C leaves, and so do signals; the terminal is as it was.
func TestLeavingTheTerminal(t *testing.T) {
	t.Parallel()
	for _, leave := range []func(c *chatTerminal){
		func(c *chatTerminal) { c.keys("half a line\x03") },
		func(c *chatTerminal) { c.keys("half a line"); must(t, c.Process.Signal(os.Interrupt)) },
		func(c *chatTerminal) { must(t, c.Process.Signal(syscall.SIGTERM)) },
		func(c *chatTerminal) { c.keys("/peer no.such.invalid:1\r\x03") },
	} {
		c := startOnTerminal(t, 80)
		c.port()
		leave(c)
		c.ends()
	}
}

// Ctrl-C is seen behind lines that wait for a disk which is stuck.
func TestLeavingAheadOfLines(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	must(t, syscall.Mkfifo(fifo, 0o600))
	peer := newPeer(t, "127.0.0.1:0")
	c := startOnTerminal(t, 80, "-history", fifo, "-peer", peer.addr().String())
	c.port()
	// More than the FIFO and the queue hold; the rest is typed ahead.
	c.keys(strings.Repeat(strings.Repeat("x", 100)+"\r", 3000) + "\x03")
	began := time.Now()
	c.Wait() // the code says it
	if took := time.Since(began); took > time.Second || c.ProcessState.ExitCode() != exitFailed {
		t.Errorf("leaving took %v, with exit code %d", took, c.ProcessState.ExitCode())
	}
	if c.state() != c.before {
		t.Error("the terminal is not as it was")
	}
}
