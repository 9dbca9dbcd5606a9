package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/gomultiprocessing/mp"
)

// editor is a terminal on which lines appear while one is typed: that line is taken away,
// the others are written, and it is painted again below them.
//
// The Terminal of golang.org/x/term does so, too, but takes every rune to be one column
// wide. A Chinese one is two, and what was typed of them would be left behind in pieces.
// This one keeps to one row and moves a longer text along in it, so that nothing depends
// on where a terminal breaks lines.
type editor struct {
	in, out, errs *os.File
	errsToo       bool // errs is the terminal as well
	before        *term.State

	mu       sync.Mutex
	question string
	typed    typing
	closed   bool
}

func newEditor(in, out, errs *os.File, errsToo bool) (*editor, error) {
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	return &editor{in: in, out: out, errs: errs, errsToo: errsToo, before: before}, nil
}

func (e *editor) lines(text ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.show(text...)
}

func (e *editor) problem(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.errsToo {
		e.show(text)
		return
	}
	io.WriteString(e.errs, text+"\n") // to whom else should an error be told
}

func (e *editor) ask(question string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.question = question
	e.show()
}

func (e *editor) answered(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.show(visible(e.question + text))
}

const clearRow = "\r\x1b[K"

// show writes lines above the one that is typed, all with one call.
func (e *editor) show(text ...string) {
	var b strings.Builder
	b.WriteString(clearRow)
	for _, t := range text {
		b.WriteString(t)
		b.WriteString("\r\n")
	}
	if !e.closed {
		width, _, err := term.GetSize(int(e.out.Fd()))
		if err != nil || width < 1 {
			width = 80
		}
		b.WriteString(e.typed.row(e.question, width))
	}
	io.WriteString(e.out, b.String()) // a terminal that takes nothing has nobody before it
}

// typeAhead is more than people type: Ctrl-C is behind the lines, and must be seen.
func (e *editor) typeAhead() int { return mp.Unbounded }

// close leaves the terminal as it was. It does not wait for a thread that waits for the
// terminal: then the row is left as it is.
func (e *editor) close() {
	if e.mu.TryLock() {
		e.closed = true
		e.show()
		e.mu.Unlock()
	}
	term.Restore(int(e.in.Fd()), e.before)
}

// read reads keys.
func (e *editor) read(_ context.Context, take func(line) bool, leave func()) error {
	buf := make([]byte, 4096)
	have := 0
	for {
		n, err := e.in.Read(buf[have:])
		have += n
		used, going := e.press(buf[:have], take, leave)
		if !going {
			return nil
		}
		have = copy(buf, buf[used:have])
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			e.problem("cannot read the terminal: " + escape(reason(err)))
			return err
		}
	}
}

// press does what keys say, and then paints the row once. It returns how many bytes were
// whole keys, and false at the end.
func (e *editor) press(b []byte, take func(line) bool, leave func()) (used int, going bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		k, n := nextKey(b[used:])
		if n == 0 {
			e.show()
			return used, true
		}
		used += n
		switch {
		case k == keyEnter && b[used-1] == '\n' && e.typed.afterReturn:
			e.typed.afterReturn = false // of a pasted \r\n
			continue
		case k == keyInterrupt:
			leave()
			return used, false
		case k == keyEnd && e.typed.empty():
			return used, false
		case k == keyEnter && !e.enter(take):
			return used, false
		case k == keyClear:
			io.WriteString(e.out, "\x1b[H\x1b[2J") // as above
		case k != keyEnter:
			e.typed.press(k)
		}
		e.typed.afterReturn = k == keyEnter && b[used-1] == '\r'
	}
}

// enter hands the typed line over, of which nothing stays in the row. What shall be seen of
// it is shown when it is its turn: more lines may have been typed ahead of the questions.
func (e *editor) enter(take func(line) bool) bool {
	text := e.typed.take()
	e.show()
	e.mu.Unlock() // others may show something while this waits
	defer e.mu.Lock()
	return take(line{text, len(text)})
}
