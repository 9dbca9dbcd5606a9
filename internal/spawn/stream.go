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

// partialAfter is how long an incomplete line is held back. A prompt or a progress bar has no
// newline. A variable for tests.
var partialAfter = 100 * time.Millisecond

// stream reads what a child prints and delivers it: to a capture while one is open, otherwise in
// whole lines to the program's writer.
type stream struct {
	file     *os.File
	raw      syscall.RawConn
	number   int // 0: stdout, 1: stderr
	captures *captures
	tail     *tail // nil: not kept for this stream
	sink     outputSink
	ended    chan struct{}
	progress

	mu           sync.Mutex // guards what follows, and is held while a writer is called
	scanner      *scanner
	open         []*capture // the last one receives the output
	lines        lineSplitter
	crash        *crashFilter
	scanned      int64         // bytes processed
	partialFrom  int64         // offset of the incomplete line
	partialSince time.Time     // when the incomplete line arrived
	partialDelay time.Duration // partialAfter at the time of Start
	timer        *time.Timer
	lost         int64 // bytes not reported yet
	lostWhy      error
}

func newStream(file *os.File, number int, nonce string, cs *captures) *stream {
	raw, _ := file.SyscallConn() // an error: file is nil
	return &stream{
		file: file, raw: raw, number: number, scanner: newScanner(nonce), captures: cs,
		ended: make(chan struct{}), partialDelay: partialAfter,
	}
}

// run reads until the stream ends. If a writer ends this goroutine by runtime.Goexit, run starts
// another.
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

// end cleans up after the last byte.
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
			buf = make([]byte, 2*n) // this child prints much
		}
	}
}

// readPipe waits for output and reads it.
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

// readCounted reads the pipe once and counts the bytes.
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

// readRest reads what is in the pipe after the deadline; a slow writer may have kept this
// goroutine from reading it. A process that holds the pipe may go on printing, so it reads at
// most the capacity of the largest pipe an ordinary user can have.
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

// consume processes the next bytes. Up to the target it delivers them even if their line has not
// ended.
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

// deliverUpTo delivers incomplete lines printed before an offset. A write of the child has ended
// at that offset, so no marker spans it.
func (s *stream) deliverUpTo(place int64) {
	if s.scanned < place || s.pendingFrom() >= place {
		return
	}
	if s.scanned-int64(len(s.scanner.held)) < place {
		s.scanner.flush(s)
	}
	s.lines.flush(s.forward)
}

// flushSoon delivers the bytes before the target on a goroutine of its own, since it may have to wait for the
// writer. One goroutine does it for all that ask meanwhile.
func (s *stream) flushSoon() {
	if s.flushing.Swap(true) {
		return
	}
	go s.update(0, func() {
		s.flushing.Store(false) // first: the target may move from here on
		s.deliverUpTo(s.target.Load())
	})
}

// flushAll delivers what is left when the stream has ended.
func (s *stream) flushAll() { s.update(0, func() { s.deliverUpTo(s.scanned) }) }

// flushOld delivers an incomplete line that has been held back long enough.
func (s *stream) flushOld() {
	s.update(0, func() {
		wait := s.partialDelay - time.Since(s.partialSince)
		if wait <= 0 && (s.scanned < s.fetched.Load() || s.inPipe() > 0) {
			wait = time.Millisecond // its end may be there
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

// update calls f with the lock held; f processes n new bytes. Then it reports the result. If a
// writer ends the goroutine, the bytes that f has not delivered are lost.
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

// report records how far the stream was delivered, reports lost bytes, and starts the timer for
// an incomplete line.
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

// pending returns how many bytes wait for the end of their line or marker.
func (s *stream) pending() int64 { return int64(len(s.lines.partial) + len(s.scanner.held)) }

// pendingFrom returns the offset of the first of them.
func (s *stream) pendingFrom() int64 { return s.scanned - s.pending() }

// text receives what the child itself printed.
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

// marker receives a marker that the child's package spawn printed.
func (s *stream) marker(kind byte, id uint64, n int) {
	switch kind {
	case kindTask:
		s.lines.flush(s.forward) // an incomplete line of the previous task keeps its label
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
