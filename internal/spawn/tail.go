package spawn

import (
	"bytes"
	"strings"
	"sync"
)

const (
	tailLen   = 8 << 10  // kept of the end
	reasonLen = 32 << 10 // kept from the line that says why
	prefixLen = len("fatal error: ")
)

// reasonPrefixes begin the line in which the Go runtime says why a program ends. What comes
// after it, the stacks of all goroutines, may be long: that line is what must be kept.
var reasonPrefixes = []string{"panic: ", "fatal error: ", "runtime: ", "SIG"}

// racePrefix begins a report of the race detector, DATA RACE: as much as is looked at of a line.
const racePrefix = "WARNING: DATA"

// hasRaced says whether the race detector has reported something.
func (t *tail) hasRaced() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.raced
}

// relayed is the line that the Go runtime prints with GOTRACEBACK=crash before one thread after the
// other is sent SIGQUIT, so that each prints its stack. None of these is why the program ends.
const threadSeparator = "-----\n"

// tail keeps the last words of a stream. The zero tail is ready.
type tail struct {
	mu             sync.Mutex // for words, which may be asked for before the end
	found          bool
	reason         []byte     // if found: from the last line that gives a reason on
	end            tailBuffer // else: the end
	line           []byte     // the first bytes of the current line, as long as they may become a reason
	afterSeparator bool       // the last line that is not empty was relayed
	decided        bool       // the current line cannot become one any more
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

// look decides about the beginning of a line as soon as that is possible.
func (t *tail) classify() {
	t.raced = t.raced || raceBuild && bytes.HasPrefix(t.line, []byte(racePrefix))
	for _, prefix := range reasonPrefixes {
		if bytes.HasPrefix(t.line, []byte(prefix)) {
			if t.decided = t.found && t.afterSeparator; t.decided {
				return // it has its reason
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

// words are the reason, if there was one, and the last words.
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

// reasonInside finds the reason of a program that crashed when it had printed a part of a
// line: stacks follow it, which tell it from other text. It returns -1 without one.
func reasonMidLine(text string) int {
	stacks := strings.Index(text, "\n\ngoroutine ")
	if stacks < 0 {
		return -1
	}
	return max(strings.LastIndex(text[:stacks], "panic: "), strings.LastIndex(text[:stacks], "fatal error: "))
}

// last keeps the last max bytes of what is written.
type tailBuffer struct {
	max int
	b   []byte
}

func (l *tailBuffer) write(b []byte) {
	if len(b) > l.max {
		b = b[len(b)-l.max:]
	}
	// Twice the room, so that moving what is kept to the front is rare.
	if len(l.b)+len(b) > 2*l.max {
		keep := l.max - len(b)
		l.b = l.b[:copy(l.b, l.b[len(l.b)-keep:])]
	}
	l.b = append(l.b, b...)
}

func (l *tailBuffer) bytes() []byte { return l.b[max(0, len(l.b)-l.max):] }
