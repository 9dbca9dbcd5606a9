package spawn

import (
	"bytes"
	"strings"
	"sync"
)

const (
	tailLen   = 8 << 10  // bytes kept of the end
	reasonLen = 32 << 10 // bytes kept from the reason on
	prefixLen = len("fatal error: ")
)

// reasonPrefixes begin the line in which the Go runtime gives the reason for a crash. The stacks
// of all goroutines that follow may be long, so that line is what must be kept.
var reasonPrefixes = []string{"panic: ", "fatal error: ", "runtime: ", "SIG"}

// racePrefix begins a report of the race detector, "WARNING: DATA RACE". It is as long as the
// part of a line that is examined.
const racePrefix = "WARNING: DATA"

// hasRaced reports whether the race detector has reported something.
func (t *tail) hasRaced() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.raced
}

// threadSeparator is the line that the Go runtime prints with GOTRACEBACK=crash before it sends
// SIGQUIT to one thread after the other, so that each prints its stack. These signals are not the
// reason for the crash.
const threadSeparator = "-----\n"

// tail keeps the end of a stream and the reason for a crash. The zero tail is ready to use.
type tail struct {
	mu             sync.Mutex // for text, which may be called before the end
	found          bool
	reason         []byte     // if found: from the last reason on
	end            tailBuffer // otherwise: the last bytes
	line           []byte     // the start of the current line, while it may be a reason
	afterSeparator bool       // the last non-empty line was threadSeparator
	decided        bool       // the current line has been classified
	raced          bool       // the race detector has reported something
}

func (t *tail) write(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(b) > 0 {
		n := len(b)
		if newline := bytes.IndexByte(b, '\n'); newline >= 0 {
			n = newline + 1
		}
		if !t.decided {
			n = min(n, prefixLen-len(t.line))
			t.line = append(t.line, b[:n]...)
		}
		t.store(b[:n])
		if !t.decided {
			t.classify()
		}
		if b[n-1] == '\n' {
			t.afterSeparator = string(t.line) == threadSeparator || t.afterSeparator && string(t.line) == "\n"
			t.line, t.decided = t.line[:0], false
		}
		b = b[n:]
	}
}

// classify decides about the start of a line as soon as that is possible.
func (t *tail) classify() {
	t.raced = t.raced || raceBuild && bytes.HasPrefix(t.line, []byte(racePrefix))
	for _, prefix := range reasonPrefixes {
		if bytes.HasPrefix(t.line, []byte(prefix)) {
			if t.decided = t.found && t.afterSeparator; t.decided {
				return // the reason is known
			}
			t.found, t.decided = true, true
			t.reason = append(t.reason[:0], t.line...)
			t.end = tailBuffer{}
			return
		}
	}
	t.decided = len(t.line) == prefixLen
}

func (t *tail) store(b []byte) {
	if t.found {
		t.reason = append(t.reason, b[:min(len(b), reasonLen-len(t.reason))]...)
		return
	}
	t.end.max = tailLen
	t.end.write(b)
}

// text returns the reason, if there is one, and the end of the output.
func (t *tail) text() (reason, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text = string(t.reason)
	if !t.found {
		text = string(t.end.bytes())
		at := reasonMidLine(text)
		if at < 0 {
			return "", text
		}
		text = text[at:]
	}
	reason, _, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(reason, "\r"), text
}

// reasonMidLine finds the reason of a program that crashed after printing part of a line. Stacks
// that follow it distinguish it from other text. It returns -1 if there is none.
func reasonMidLine(text string) int {
	stacks := strings.Index(text, "\n\ngoroutine ")
	if stacks < 0 {
		return -1
	}
	return max(strings.LastIndex(text[:stacks], "panic: "), strings.LastIndex(text[:stacks], "fatal error: "))
}

// tailBuffer keeps the last max bytes written to it.
type tailBuffer struct {
	max int
	b   []byte
}

func (l *tailBuffer) write(b []byte) {
	if len(b) > l.max {
		b = b[len(b)-l.max:]
	}
	// Twice the size, so that bytes are rarely moved to the front.
	if len(l.b)+len(b) > 2*l.max {
		keep := l.max - len(b)
		l.b = l.b[:copy(l.b, l.b[len(l.b)-keep:])]
	}
	l.b = append(l.b, b...)
}

func (l *tailBuffer) bytes() []byte { return l.b[max(0, len(l.b)-l.max):] }
