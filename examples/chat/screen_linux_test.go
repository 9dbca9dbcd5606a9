package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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
