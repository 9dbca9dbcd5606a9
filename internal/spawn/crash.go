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

// crashPipe is where the Go runtime of a child prints once more what it prints about a crash
// to stderr. It says what is a crash and what only looks like one, also where stdout and stderr
// are one pipe. Nobody reads it before the child's death: what does not fit is dropped.
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

// take is what was printed about a crash by now, up to a bound, "" if there was none.
func (c *crashPipe) contents() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read()
	return string(c.text)
}

// read reads what is there.
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

// begins says whether a line is the first of what the runtime prints about a crash. If it may be
// it waits for more of that for a moment, or until the child is dead.
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
		return bytes.Contains(c.text, bytes.TrimRight(line, "\r\n")) // the others are not told twice
	}
	return len(c.text) > 0
}

// crashPatience is how long a line waits that looks like the first of a crash.
const crashWait = 100 * time.Millisecond

func (c *crashPipe) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.r >= 0 {
		unix.Close(c.r)
	}
	c.r = -1
}

// crashWords are the reason for a crash and its text, if the runtime has printed the line that says why
// there: of a panic and of a signal, not of what it calls a fatal error.
func crashReport(text string) (reason, words string) {
	for at := 0; at < len(text); {
		line, _, _ := strings.Cut(text[at:], "\n")
		if line+"\n" == threadSeparator {
			break // what follows is said because of what was said before
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

// crashFilter keeps what the runtime prints about a crash from a stream's writer.
type crashFilter struct {
	pipe    *crashPipe
	crashed bool
	midLine bool // the next bytes go on with a line
}

// keep is what of b is to be passed on. The stream comes in whole lines, mostly.
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

// candidates are where in a line a crash may begin: at its front, or behind what was printed without a
// newline before.
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

// printCrashesTo has the runtime print crashes to a descriptor as well, and returns it for
// what is no crash of the runtime's but ends the process as one.
func printCrashesTo(fd int) *os.File {
	f := os.NewFile(uintptr(fd), "crash")
	if debug.SetCrashOutput(f, debug.CrashOptions{}) != nil { // then stderr must do
		return f
	}
	unix.SetNonblock(fd, true) // SetCrashOutput undoes that; the runtime must never wait here
	return f
}
