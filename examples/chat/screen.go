package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// screen is where people read and type. Its methods may be called by several threads.
type screen interface {
	lines(text ...string) // shows lines, each whole
	problem(text string)  // shows what went wrong
	ask(question string)  // shows what the next line is for
	answered(text string) // shows an answer beside its question; what was typed as a message needs none
	// read hands over what is typed until it ends, or nobody takes it any more, and calls
	// leave for Ctrl-C. It waits for the keyboard, which cannot be interrupted.
	read(ctx context.Context, take func(line) bool, leave func()) error
	typeAhead() int // lines that read may be ahead of those who take them
	close()         // leaves the terminal as it was; waits for no other thread
}

// newScreen is an editor of lines on a terminal, and plain lines elsewhere.
func newScreen(stdin, stdout, stderr *os.File) (screen, error) {
	on := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	if on(stdin) && on(stdout) && os.Getenv("TERM") != "dumb" {
		return newEditor(stdin, stdout, stderr, on(stderr))
	}
	return &plainScreen{stdin: stdin, stdout: stdout, stderr: stderr}, nil
}

// plainScreen reads and writes lines through pipes and files.
type plainScreen struct {
	stdin, stdout, stderr *os.File

	mu     sync.Mutex
	failed bool
}

func (p *plainScreen) lines(text ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := io.WriteString(p.stdout, strings.Join(text, "\n")+"\n")
	if err != nil && !p.failed {
		fmt.Fprintf(p.stderr, "cannot write to standard output: %s\n", escape(reason(err)))
	}
	p.failed = err != nil
}

func (p *plainScreen) problem(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.stderr, text)
}

func (p *plainScreen) ask(question string) { p.lines(strings.TrimRight(question, ": ")) }

func (p *plainScreen) answered(string) {}

// typeAhead is little: a pipe can wait, and what has been read when it ends is done at once.
func (p *plainScreen) typeAhead() int { return 1 }

func (p *plainScreen) close() {}

// read reads lines. Of one that is longer than a message it keeps the beginning.
func (p *plainScreen) read(_ context.Context, take func(line) bool, _ func()) error {
	in := bufio.NewReaderSize(p.stdin, mostIPv6+len("\r\n")+1)
	for {
		l, err := readLine(in)
		if l.bytes > 0 || err == nil {
			if !take(l) {
				return nil
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			p.problem("cannot read standard input: " + escape(reason(err)))
			return err
		}
	}
}

// readLine reads one line as far as the buffer holds it. The last one needs no line break;
// a line that is not there is io.EOF.
func readLine(in *bufio.Reader) (line, error) {
	text, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		kept := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
		return line{kept, len(kept)}, err
	}
	l := line{string(text[:64]), len(text)}
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = in.ReadSlice('\n')
		l.bytes += len(text)
	}
	if err == nil {
		l.bytes--
	}
	return l, err
}
