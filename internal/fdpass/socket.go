package fdpass

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxPending limits the sets of descriptors that have arrived and were not taken yet. Each set
// arrives with a byte of the stream, and one read returns at most one set.
const maxPending = 4

// Socket reads a stream socket and keeps the descriptors that come with the bytes. It is not safe
// for concurrent use.
type Socket struct {
	raw     syscall.RawConn
	pending []Set
	control []byte

	// The state of one read. It is kept here so that reading does not allocate a closure.
	p       []byte
	n       int
	err     error
	onReady func(fd uintptr) bool
}

// NewSocket returns a reader of the socket conn, which the caller still owns.
func NewSocket(conn *os.File) *Socket {
	s := &Socket{control: make([]byte, ControlSize)}
	raw, err := conn.SyscallConn()
	if err != nil {
		s.err = err
		return s
	}
	s.raw = raw
	s.onReady = func(fd uintptr) bool { return s.receive(int(fd)) }
	return s
}

// Read implements io.Reader. It blocks until bytes arrive, and keeps the descriptors that come with
// them for Take.
func (s *Socket) Read(p []byte) (int, error) {
	if s.raw == nil || len(p) == 0 {
		return 0, s.err
	}
	s.p, s.n, s.err = p, 0, nil
	err := s.raw.Read(s.onReady)
	s.p = nil
	switch {
	case err != nil:
		return 0, err
	case s.err != nil:
		return 0, s.err
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

// Pending reports whether descriptors have arrived and were not taken.
func (s *Socket) Pending() bool { return len(s.pending) > 0 }

// Take removes and returns the oldest set of descriptors, which the caller then owns. It returns an
// error, and closes the set, unless it holds the announced number or lost some.
func (s *Socket) Take(announced int) (Set, error) {
	if len(s.pending) == 0 {
		return Set{}, errors.New("descriptors are missing")
	}
	set := s.pending[0]
	s.pending[0] = Set{}
	s.pending = s.pending[1:]
	if n := len(set.Files); n > announced || n < announced && !set.Lost {
		set.Close()
		return Set{}, fmt.Errorf("%d descriptors arrived, %d were announced", n, announced)
	}
	return set, nil
}

// Close closes the descriptors that arrived and were not taken. The socket stays open.
func (s *Socket) Close() {
	for _, set := range s.pending {
		set.Close()
	}
	s.pending = nil
}

// add keeps descriptors that have arrived.
func (s *Socket) add(set Set) {
	s.pending = append(s.pending, set)
	if len(s.pending) > maxPending {
		s.Close()
		s.n, s.err = 0, ErrUnannounced
	}
}
