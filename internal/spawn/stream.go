//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// printTo says where the stream leads. It is called before run.
func (s *stream) printTo(w io.Writer) { s.to, s.dest = w, destinationOf(w) }

// stream reads what a child prints and hands it on: into a capture, while one is open, else
// in whole lines to the program's writer.
type stream struct {
	file     *os.File
	number   int // 0: stdout, 1: stderr
	scanner  *scanner
	captures *captures
	open     []*capture // the last one gets what comes
	lines    lines
	tail     *tail // nil: nobody wants the last words
	to       io.Writer
	dest     *destination // that to leads to
	broken   bool         // the writer has failed: read on, so that the child is not stuck
	ended    chan struct{}
}

func newStream(file *os.File, number int, nonce string, cs *captures, t *tail) *stream {
	return &stream{
		file: file, number: number, scanner: newScanner(nonce), captures: cs, tail: t,
		ended: make(chan struct{}),
	}
}

func (s *stream) run() {
	defer close(s.ended)
	defer s.captures.close(s.number)
	defer s.dest.release()
	defer s.file.Close()
	s.read()
	s.scanner.end(s)
	s.lines.end(s.forward)
}

func (s *stream) read() {
	buf := make([]byte, 4<<10)
	for {
		n, err := s.file.Read(buf)
		s.scanner.scan(buf[:n], s)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.readRest(buf)
			return
		}
		if err != nil {
			return
		}
		if n == len(buf) && n < 32<<10 {
			buf = make([]byte, 2*n) // this child prints a lot
		}
	}
}

// readRest reads what is in the pipe now, after the deadline. A slow writer may have kept
// this goroutine from it. Whoever still holds the pipe may go on printing, so there
// is a limit, which is that of the largest pipe an ordinary user can have.
func (s *stream) readRest(buf []byte) {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		for rest := 1 << 20; rest > 0; {
			n, err := unix.Read(int(fd), buf)
			if err == unix.EINTR {
				continue
			}
			if err != nil || n <= 0 {
				return
			}
			s.scanner.scan(buf[:n], s)
			rest -= n
		}
	})
}

// text takes what the child printed itself.
func (s *stream) text(b []byte) {
	if s.tail != nil {
		s.tail.write(b)
	}
	if n := len(s.open); n > 0 {
		s.captures.write(s.open[n-1], s.number, b)
		return
	}
	s.lines.cut(b, s.forward)
}

// mark takes a mark that the child's package spawn printed.
func (s *stream) mark(kind byte, id uint64, max int) {
	if kind == kindBegin {
		if len(s.open) < maxCaptures {
			s.open = append(s.open, s.captures.begin(s.number, id, max))
		}
		return
	}
	for i, c := range s.open {
		if c.id == id {
			s.captures.end(c, s.number)
			s.open = append(s.open[:i], s.open[i+1:]...)
			return
		}
	}
}

func (s *stream) forward(b []byte) {
	if !s.broken {
		s.broken = s.dest.write(s, b) != nil
	}
}
