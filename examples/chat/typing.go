package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// typing is a line while it is typed: the text before and behind the cursor.
type typing struct {
	before, behind string
	afterReturn    bool // the key before was a carriage return

	earlier []string // lines, the oldest first
	place   int      // in earlier; len(earlier): the line that is new
	draft   string   // the new line while an earlier one is shown
}

const (
	mostEarlier = 100
	longestLine = mostIPv6 + 1 // bytes; one more than fits, so that it is said when it is sent
)

func (t *typing) empty() bool { return t.before == "" && t.behind == "" }

// take is the line, of which there is nothing left then.
func (t *typing) take() string {
	text := t.before + t.behind
	if text != "" && (len(t.earlier) == 0 || t.earlier[len(t.earlier)-1] != text) {
		t.earlier = append(t.earlier, text)
	}
	if len(t.earlier) > mostEarlier {
		t.earlier = t.earlier[1:]
	}
	t.before, t.behind, t.draft, t.place = "", "", "", len(t.earlier)
	return text
}

// press does what a key says. What it does not know has no effect.
func (t *typing) press(k key) {
	switch k {
	case keyBackspace:
		t.before = t.before[:t.lastStart()]
	case keyDelete, keyEnd:
		t.behind = t.behind[t.firstEnd():]
	case keyLeft:
		i := t.lastStart()
		t.before, t.behind = t.before[:i], t.before[i:]+t.behind
	case keyRight:
		i := t.firstEnd()
		t.before, t.behind = t.before+t.behind[:i], t.behind[i:]
	case keyHome:
		t.before, t.behind = "", t.before+t.behind
	case keyLast:
		t.before, t.behind = t.before+t.behind, ""
	case keyCutBefore:
		t.before = ""
	case keyCutBehind:
		t.behind = ""
	case keyCutWord:
		word := strings.TrimRight(t.before, " \t")
		t.before = word[:strings.LastIndexAny(word, " \t")+1]
	case keyUp:
		t.recall(t.place - 1)
	case keyDown:
		t.recall(t.place + 1)
	default:
		if k >= 0 && len(t.before)+len(t.behind)+utf8.RuneLen(rune(k)) <= longestLine {
			t.before += string(rune(k))
		}
	}
}

// recall brings an earlier line back, or the one that was begun.
func (t *typing) recall(place int) {
	if place < 0 || place > len(t.earlier) {
		return
	}
	if t.place == len(t.earlier) {
		t.draft = t.before + t.behind
	}
	t.place, t.before, t.behind = place, t.draft, ""
	if place < len(t.earlier) {
		t.before = t.earlier[place]
	}
}

// firstEnd is where the character behind the cursor ends, with all that belongs to it.
func (t *typing) firstEnd() int {
	first, _, _, _ := uniseg.FirstGraphemeClusterInString(t.behind, -1)
	return len(first)
}

// lastStart is where the character before the cursor begins.
func (t *typing) lastStart() int {
	start := 0
	for rest, state := t.before, -1; rest != ""; {
		start = len(t.before) - len(rest)
		_, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
	}
	return start
}

// cell is a character as it is painted.
type cell struct {
	text  string
	width int
}

// cells are the characters of a text. One that cannot be seen is a dot.
func cells(s string) []cell {
	var all []cell
	for state := -1; s != ""; {
		var c cell
		c.text, s, c.width, state = uniseg.FirstGraphemeClusterInString(s, state)
		switch {
		case c.text == "\t":
			c = cell{" ", 1}
		case !plain(c.text) || c.width == 0:
			c = cell{"·", 1}
		}
		all = append(all, c)
	}
	return all
}

// row paints question and text on one row of a terminal, and leaves the cursor where it
// is in the text. Of a long text it shows the part around the cursor, and on a narrow
// terminal no question.
func (t *typing) row(question string, width int) string {
	width-- // in the last column terminals differ
	var b strings.Builder
	left := cells(question)
	used := total(left)
	if used+8 > width {
		left, used = nil, 0
	}
	before, behind := cells(t.before), cells(t.behind)
	from, room := len(before), width-used-1 // one for the cursor
	for from > 0 && room >= before[from-1].width {
		from--
		room -= before[from].width
	}
	room++
	to := 0
	for to < len(behind) && room >= behind[to].width {
		room -= behind[to].width
		to++
	}
	for _, part := range [][]cell{left, before[from:], behind[:to]} {
		for _, c := range part {
			b.WriteString(c.text)
		}
	}
	if back := total(behind[:to]); back > 0 {
		fmt.Fprintf(&b, "\x1b[%dD", back)
	}
	return b.String()
}

func total(cells []cell) (width int) {
	for _, c := range cells {
		width += c.width
	}
	return width
}
