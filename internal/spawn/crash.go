//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"bytes"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// crashPipe receives a second copy of what the child's Go runtime prints about a crash. It tells
// a crash from output that merely looks like one, even if stdout and stderr share a pipe. It is
// read only when a line looks like a crash and after the child's death; what does not fit in it
// is dropped.
type crashPipe struct {
	mu sync.Mutex
	r  int // -1: closed

	text []byte // read so far
}

func newCrashPipe() (c *crashPipe, w int, err error) {
	r, w, err := pipe()
	if err != nil {
		return nil, -1, err
	}
	if err := unix.SetNonblock(r, true); err != nil {
		unix.Close(r)
		unix.Close(w)
		return nil, -1, os.NewSyscallError("setnonblock", err)
	}
	return &crashPipe{r: r}, w, nil
}

// contents returns what was printed about a crash so far, up to reasonLen bytes.
func (c *crashPipe) contents() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read()
	return string(c.text)
}

// read reads what is in the pipe, without blocking.
func (c *crashPipe) read() {
	buf := make([]byte, 4<<10)
	for c.r >= 0 && len(c.text) < reasonLen {
		n, err := unix.Read(c.r, buf[:min(len(buf), reasonLen-len(c.text))])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		c.text = append(c.text, buf[:n]...)
	}
}

// startsCrash reports whether a line is the first of the runtime's output about a crash. If it
// may be, startsCrash waits briefly for that output to arrive in the pipe, or for the child's
// death.
func (c *crashPipe) startsCrash(line []byte) bool {
	if !looksLikeCrash(line) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.r >= 0 && len(c.text) == 0 {
		fds := []unix.PollFd{{Fd: int32(c.r), Events: unix.POLLIN}}
		for end := time.Now().Add(crashWait); ; {
			_, err := unix.Poll(fds, int(max(0, time.Until(end).Milliseconds())))
			if err != unix.EINTR {
				break
			}
		}
	}
	c.read()
	if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("SIG")) {
		return bytes.Contains(c.text, bytes.TrimRight(line, "\r\n")) // the runtime does not repeat the other kinds in the pipe
	}
	return len(c.text) > 0
}

// crashWait is how long a line that looks like the start of a crash is held back.
const crashWait = 100 * time.Millisecond

func (c *crashPipe) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.r >= 0 {
		unix.Close(c.r)
	}
	c.r = -1
}

// crashReport returns the reason for a crash and the text from there on, if text has such a line.
// The runtime prints that line to the crash output for panics and signals, but not for what it
// calls a fatal error.
func crashReport(text string) (reason, words string) {
	for at := 0; at < len(text); {
		line, _, _ := strings.Cut(text[at:], "\n")
		if line+"\n" == threadSeparator {
			break // what follows is a consequence of the crash
		}
		for _, prefix := range reasonPrefixes {
			if strings.HasPrefix(line, prefix) {
				return line, text[at:]
			}
		}
		at += len(line) + 1
	}
	return "", ""
}

// crashFilter removes from a stream what the runtime prints about a crash.
type crashFilter struct {
	pipe    *crashPipe
	crashed bool
	midLine bool // the next bytes continue a line
}

// filter returns the part of b to pass on. The stream arrives mostly in whole lines.
func (c *crashFilter) filter(b []byte) []byte {
	for at := 0; at < len(b) && !c.crashed; {
		line := b[at:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n+1]
		}
		for _, from := range c.candidates(line) {
			if c.pipe.startsCrash(line[from:]) {
				c.crashed = true
				return b[:at+from]
			}
		}
		at += len(line)
		c.midLine = line[len(line)-1] != '\n'
	}
	if c.crashed {
		return nil
	}
	return b
}

// candidates returns the offsets in a line at which a crash report may begin: its start, or the
// end of text that was printed before without a newline.
func (c *crashFilter) candidates(line []byte) (from []int) {
	if !c.midLine && looksLikeCrash(line) {
		from = append(from, 0)
	}
	for _, prefix := range []string{"panic: ", "fatal error: "} {
		if at := bytes.Index(line, []byte(prefix)); at > 0 || at == 0 && c.midLine {
			from = append(from, at)
		}
	}
	return from
}

func looksLikeCrash(line []byte) bool {
	for _, prefix := range reasonPrefixes {
		if bytes.HasPrefix(line, []byte(prefix)) {
			return true
		}
	}
	return false
}

// printCrashesTo makes the runtime print crashes to fd as well. It returns the file, for errors
// that end the process like a crash but are not printed by the runtime.
func printCrashesTo(fd int) *os.File {
	f := os.NewFile(uintptr(fd), "crash")
	if debug.SetCrashOutput(f, debug.CrashOptions{}) != nil { // stderr is enough then
		return f
	}
	unix.SetNonblock(fd, true) // SetCrashOutput makes it blocking; the runtime must never block here
	return f
}
