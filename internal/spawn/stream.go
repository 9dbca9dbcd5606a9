//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// partialAfter is how long the beginning of a line waits for its end: a prompt, or a bar
// that shows progress, has none. A variable for tests.
var partialAfter = 100 * time.Millisecond

// stream reads what a child prints and hands it on: into a capture, while one is open, else
// in whole lines to the program's writer.
type stream struct {
	file     *os.File
	raw      syscall.RawConn
	number   int // 0: stdout, 1: stderr
	captures *captures
	tail     *tail // nil: nobody wants the last words
	sink     outputSink
	ended    chan struct{}
	progress

	mu           sync.Mutex // for what follows, and held while a writer is called
	scanner      *scanner
	open         []*capture // the last one gets what comes
	lines        lineSplitter
	crash        *crashFilter
	scanned      int64         // bytes looked at
	partialFrom  int64         // where the line begins that has no end yet
	partialSince time.Time     // when that came
	partialDelay time.Duration // partialAfter when the child was started
	timer        *time.Timer
	lost         int64 // bytes, not reported yet
	lostWhy      error
}

func newStream(file *os.File, number int, nonce string, cs *captures) *stream {
	raw, _ := file.SyscallConn() // an error: file is nil
	return &stream{
		file: file, raw: raw, number: number, scanner: newScanner(nonce), captures: cs,
		ended: make(chan struct{}), partialDelay: partialAfter,
	}
}

// run reads until the stream is over. A writer that ends this goroutine, by runtime.Goexit,
// gets another one.
func (s *stream) run() {
	over := false
	defer func() {
		if !over {
			go s.run()
		}
	}()
	s.read()
	s.flushAll()
	over = true
	s.end()
}

// end clears up after the last byte.
func (s *stream) end() {
	s.mu.Lock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.file.Close()
	s.sink.dest.release()
	s.captures.close(s.number)
	s.progress.end()
	close(s.ended)
}

func (s *stream) read() {
	buf := make([]byte, 4<<10)
	for {
		n, err := s.readPipe(buf)
		s.consume(buf[:n])
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

// next waits for output and reads it.
func (s *stream) readPipe(buf []byte) (n int, err error) {
	failed := s.raw.Read(func(fd uintptr) bool {
		s.idle.Store(false)
		n, err = s.readCounted(int(fd), buf)
		if err == unix.EAGAIN {
			s.idle.Store(true)
			return false
		}
		return true
	})
	switch {
	case failed != nil:
		return 0, failed
	case err == nil && n == 0:
		return 0, io.EOF
	}
	return n, err
}

// fetch reads the pipe once and counts what has come.
func (s *stream) readCounted(fd int, buf []byte) (n int, err error) {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	for {
		n, err = unix.Read(fd, buf)
		if err == unix.EINTR {
			continue
		}
		n = max(n, 0)
		s.fetched.Add(int64(n))
		return n, err
	}
}

// readRest reads what is in the pipe now, after the deadline. A slow writer may have kept
// this goroutine from it. Whoever still holds the pipe may go on printing, so there
// is a limit, which is that of the largest pipe an ordinary user can have.
func (s *stream) readRest(buf []byte) {
	for rest := 1 << 20; rest > 0; {
		n := 0
		err := s.raw.Control(func(fd uintptr) { n, _ = s.readCounted(int(fd), buf) })
		if err != nil || n == 0 {
			return
		}
		s.consume(buf[:n])
		rest -= n
	}
}

// take looks at the next bytes. Up to the place that is wanted they are handed on even
// where a line has no end there.
func (s *stream) consume(b []byte) {
	if len(b) == 0 {
		return
	}
	s.update(len(b), func() {
		for len(b) > 0 {
			n := len(b)
			wanted := s.target.Load()
			if left := wanted - s.scanned; left > 0 && left < int64(n) {
				n = int(left)
			}
			s.scanner.scan(b[:n], s)
			s.scanned += int64(n)
			b = b[n:]
			s.deliverUpTo(wanted)
		}
	})
}

// handUpTo hands on what was printed before a place and waits for the end of its line. The place
// is where some write of the child's has ended, so that no mark is on both sides of it.
func (s *stream) deliverUpTo(place int64) {
	if s.scanned < place || s.pendingFrom() >= place {
		return
	}
	if s.scanned-int64(len(s.scanner.held)) < place {
		s.scanner.flush(s)
	}
	s.lines.flush(s.forward)
}

// flush is handUpTo for others than the reader.
func (s *stream) flush(place int64) { s.update(0, func() { s.deliverUpTo(place) }) }

// flushAll hands on what is left when the stream is over.
func (s *stream) flushAll() { s.update(0, func() { s.deliverUpTo(s.scanned) }) }

// flushOld hands on the beginning of a line that has waited for its end long enough.
func (s *stream) flushOld() {
	s.update(0, func() {
		wait := s.partialDelay - time.Since(s.partialSince)
		if wait <= 0 && (s.scanned < s.fetched.Load() || s.inPipe() > 0) {
			wait = time.Millisecond // the end may be there
		}
		switch {
		case s.pending() == 0:
			s.timer = nil
		case wait > 0:
			s.timer.Reset(wait)
		default:
			s.timer = nil
			s.deliverUpTo(s.scanned)
		}
	})
}

// do calls f, which looks at n bytes for the first time, with the lock held, and says then
// what has become of them. A writer that ends the goroutine loses what f has not handed on.
func (s *stream) update(n int, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.scanned + int64(n)
	returned := false
	defer func() {
		if !returned {
			s.addLost(end-s.delivered.Load(), errWriterGoexit)
			s.scanned, s.lines, s.scanner.held = end, lineSplitter{}, nil
		}
		s.report()
	}()
	f()
	returned = true
}

var errWriterGoexit = errors.New("the writer called runtime.Goexit")

// tell says how far the stream was handed on and what was lost, and sees to the rest.
func (s *stream) report() {
	if s.lost > 0 && s.sink.spec.Lost != nil {
		s.sink.spec.Lost(1+s.number, s.lost, s.lostWhy)
	}
	s.lost, s.lostWhy = 0, nil
	if s.pending() > 0 {
		if from := s.pendingFrom(); from != s.partialFrom || s.partialSince.IsZero() {
			s.partialFrom, s.partialSince = from, time.Now()
		}
		if s.timer == nil {
			s.timer = time.AfterFunc(s.partialDelay, s.flushOld)
		}
	}
	s.advance(s.pendingFrom())
}

func (s *stream) addLost(n int64, why error) {
	if n > 0 {
		s.lost, s.lostWhy = s.lost+n, why
	}
}

// held is how many bytes wait for the end of their line, or of a mark.
func (s *stream) pending() int64 { return int64(len(s.lines.partial) + len(s.scanner.held)) }

// begun is where they begin.
func (s *stream) pendingFrom() int64 { return s.scanned - s.pending() }

// text takes what the child printed itself.
func (s *stream) text(b []byte) {
	if s.tail != nil {
		s.tail.write(b)
	}
	if n := len(s.open); n > 0 {
		s.captures.write(s.open[n-1], s.number, b)
		return
	}
	s.lines.split(b, s.forward)
}

// mark takes a mark that the child's package spawn printed.
func (s *stream) marker(kind byte, id uint64, n int) {
	switch kind {
	case kindTask:
		s.lines.flush(s.forward) // what another task has begun keeps its label
		s.sink.relabel(id, n)
	case kindBegin:
		if len(s.open) < maxCaptures {
			s.open = append(s.open, s.captures.begin(s.number, id, n))
		}
	case kindEnd:
		for i, c := range s.open {
			if c.id == id {
				s.captures.end(c, s.number)
				s.open = append(s.open[:i], s.open[i+1:]...)
				return
			}
		}
	}
}

func (s *stream) forward(b []byte) {
	if s.crash != nil {
		b = s.crash.filter(b)
	}
	if len(b) > 0 {
		s.addLost(s.sink.dest.write(s, b))
	}
}
