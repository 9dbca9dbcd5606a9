package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo-terminal: what a terminal's window holds, and what a program
// in it has.
func openTerminal(t *testing.T, columns int) (window, program *os.File) {
	t.Helper()
	window, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	t.Cleanup(func() { window.Close() })
	raw, err := window.SyscallConn()
	must(t, err)
	var number int
	must(t, raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}))
	must(t, err)
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { program.Close() })
	must(t, unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}))
	return window, program
}

// grid is what a terminal shows: rows of cells, of which a wide character takes two. It
// knows the little that the program uses and fails on the rest.
type grid struct {
	columns  int
	rows     [][]rune
	row, col int
	rest     []byte // of a sequence that is not whole
	strange  string
}

func (g *grid) write(b []byte) {
	b = append(g.rest, b...)
	for len(b) > 0 {
		n := g.one(b)
		if n == 0 {
			break
		}
		b = b[n:]
	}
	g.rest = append([]byte(nil), b...)
}

func (g *grid) one(b []byte) int {
	for g.row >= len(g.rows) {
		g.rows = append(g.rows, make([]rune, g.columns))
	}
	switch {
	case b[0] == '\r':
		g.col = 0
	case b[0] == '\n':
		g.row++
	case b[0] == 0x1b:
		return g.sequence(b)
	case !utf8.FullRune(b):
		return 0
	default:
		r, n := utf8.DecodeRune(b)
		if !unicode.IsPrint(r) {
			g.strange += fmt.Sprintf("%q ", r)
		}
		g.put(r)
		return n
	}
	return 1
}

func (g *grid) put(r rune) {
	if unicode.Is(unicode.Mn, r) {
		return // it is put onto the one before
	}
	width := 1
	if unicode.Is(unicode.Han, r) || r >= 0x3000 && r < 0x3040 || r >= 0xff00 && r < 0xff60 {
		width = 2
	}
	if g.col+width > g.columns { // a terminal goes on in the next row
		g.row, g.col = g.row+1, 0
		for g.row >= len(g.rows) {
			g.rows = append(g.rows, make([]rune, g.columns))
		}
	}
	g.rows[g.row][g.col] = r
	if width == 2 {
		g.rows[g.row][g.col+1] = -1
	}
	g.col += width
}

func (g *grid) sequence(b []byte) int {
	end := strings.IndexFunc(string(b), unicode.IsLetter)
	if end < 0 {
		return 0
	}
	n, _ := strconv.Atoi(string(b[2:end]))
	switch b[end] {
	case 'K':
		clear(g.rows[g.row][min(g.col, g.columns):])
	case 'D':
		g.col = max(0, g.col-n)
	default:
		g.strange += fmt.Sprintf("%q ", b[:end+1])
	}
	return end + 1
}

// text is the rows as they are seen.
func (g *grid) text() []string {
	var rows []string
	for _, cells := range g.rows {
		var b strings.Builder
		for _, r := range cells {
			switch r {
			case 0:
				b.WriteByte(' ')
			case -1:
			default:
				b.WriteRune(r)
			}
		}
		rows = append(rows, strings.TrimRight(b.String(), " "))
	}
	return rows
}

// chatTerminal is the program on a terminal.
type chatTerminal struct {
	*exec.Cmd
	t       *testing.T
	window  *os.File
	program *os.File
	before  unix.Termios
	history string

	mu      sync.Mutex
	grid    grid
	changed chan struct{} // there is something new
}

func startOnTerminal(t *testing.T, columns int, args ...string) *chatTerminal {
	t.Helper()
	dir := t.TempDir()
	c := &chatTerminal{
		Cmd: exec.Command("chat", append([]string{"-listen", "127.0.0.1:0"}, args...)...), t: t,
		grid: grid{columns: columns}, changed: make(chan struct{}, 1), history: filepath.Join(dir, "chat.txt"),
	}
	c.window, c.program = openTerminal(t, columns)
	c.before = c.state()
	c.Dir, c.Stdin, c.Stdout, c.Stderr = dir, c.program, c.program, c.program
	c.Env = append(os.Environ(), "TERM=xterm")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	must(t, c.Start())
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	go func() { // until the window is closed
		buf := make([]byte, 1000)
		for {
			n, err := c.window.Read(buf)
			if err != nil {
				return
			}
			c.mu.Lock()
			c.grid.write(buf[:n])
			c.mu.Unlock()
			select {
			case c.changed <- struct{}{}:
			default:
			}
		}
	}()
	return c
}

func (c *chatTerminal) state() unix.Termios {
	c.t.Helper()
	state, err := unix.IoctlGetTermios(int(c.program.Fd()), unix.TCGETS)
	must(c.t, err)
	return *state
}

func (c *chatTerminal) keys(text string) {
	c.t.Helper()
	_, err := c.window.WriteString(text)
	must(c.t, err)
}

// shows waits until the screen is as wanted, of which it is told the rows, and in the last
// one the column of the cursor.
func (c *chatTerminal) shows(what string, wanted func(rows []string, column int) bool) {
	c.t.Helper()
	timeout := time.After(tooLate)
	for {
		c.mu.Lock()
		rows, column, strange := c.grid.text(), c.grid.col, c.grid.strange
		c.mu.Unlock()
		if strange != "" {
			c.t.Errorf("the screen got %s", strange)
		}
		if len(rows) > 0 && wanted(rows, column) {
			return
		}
		select {
		case <-c.changed:
		case <-timeout:
			c.t.Fatalf("the screen does not show %s; the cursor is in column %d of the last row:\n%s", what, column, strings.Join(rows, "\n"))
		}
	}
}

// showsLast waits for rows at the end of the screen, and for the column of the cursor.
func (c *chatTerminal) showsLast(column int, last ...string) {
	c.t.Helper()
	c.shows(strings.Join(last, "\n"), func(rows []string, col int) bool {
		return strings.HasSuffix("\n"+strings.Join(rows, "\n"), "\n"+strings.Join(last, "\n")) && col == column
	})
}

// port waits for the first line, which has it.
func (c *chatTerminal) port() (addr netip.AddrPort) {
	c.t.Helper()
	c.shows("an address", func(rows []string, _ int) bool {
		text, _, found := strings.Cut(strings.Join(rows, ""), ", history")
		if !found {
			return false
		}
		var err error
		addr, err = netip.ParseAddrPort(strings.TrimPrefix(text, "listening on "))
		must(c.t, err)
		return true
	})
	return addr
}

// ends waits for the end, and looks whether the terminal is as it was.
func (c *chatTerminal) ends() {
	c.t.Helper()
	began := time.Now()
	timer := time.AfterFunc(tooLate, func() { c.Process.Kill() })
	defer timer.Stop()
	if err := c.Wait(); err != nil {
		c.t.Errorf("the program ended with %v", err)
	}
	if took := time.Since(began); took > time.Second {
		c.t.Errorf("leaving took %v", took)
	}
	if c.state() != c.before {
		c.t.Error("the terminal is not as it was")
	}
}

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
