package fdpass

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Max is how many descriptors one message can carry: the kernel's limit.
const Max = 253

// maxPending is how many sets of descriptors may have arrived that were not taken yet. Each arrives
// with a byte of the stream, and a read ends after that of one.
const maxPending = 4

// ErrLost is the error of a message whose descriptors arrived when this process could not have
// more. The bytes are intact.
var ErrLost = fmt.Errorf("mp: the descriptors of a message were lost, because this process cannot open more files: %w", syscall.EMFILE)

// ErrUnannounced is the error of a stream with descriptors that its reader did not take in time.
var ErrUnannounced = errors.New("mp: descriptors arrived that nothing announced")

// Set is the descriptors that were sent together.
type Set struct {
	Files []*os.File
	Lost  bool // some more were lost, because this process cannot open more files
}

// Socket reads a stream socket and keeps the descriptors that come with the bytes. It is not safe
// for concurrent use.
type Socket struct {
	conn    *os.File
	raw     syscall.RawConn
	pending []Set
	control []byte

	// The state of one read; here, so that reading does not allocate a closure.
	p       []byte
	n       int
	err     error
	onReady func(fd uintptr) bool
}

// NewSocket returns a reader of the socket conn, which the caller still owns.
func NewSocket(conn *os.File) *Socket {
	s := &Socket{conn: conn, control: make([]byte, controlSize)}
	raw, err := conn.SyscallConn()
	if err != nil {
		s.err = err
		return s
	}
	s.raw = raw
	s.onReady = func(fd uintptr) bool { return s.receive(int(fd)) }
	return s
}

// Read implements io.Reader.
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

// Pending reports whether descriptors have arrived that were not taken.
func (s *Socket) Pending() bool { return len(s.pending) > 0 }

// Take removes the oldest set of descriptors, of which announced were sent. The caller owns them.
func (s *Socket) Take(announced int) (Set, error) {
	if len(s.pending) == 0 {
		return Set{}, errors.New("descriptors are missing")
	}
	set := s.pending[0]
	s.pending[0] = Set{}
	s.pending = s.pending[1:]
	if n := len(set.Files); n > announced || n < announced && !set.Lost {
		CloseAll(set.Files)
		return Set{}, fmt.Errorf("%d descriptors arrived, %d were announced", n, announced)
	}
	return set, nil
}

// Close closes the descriptors that arrived and were not taken. The socket stays open.
func (s *Socket) Close() {
	for _, set := range s.pending {
		CloseAll(set.Files)
	}
	s.pending = nil
}
