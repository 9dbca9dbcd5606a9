package wire

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

const (
	// maxBatchFiles is how many descriptors one message of the kernel can carry.
	maxBatchFiles = 253
	// MaxFiles is how many descriptors one frame can have. Those that do not fit into one message
	// of the kernel go ahead of the frame, with headers of their own.
	MaxFiles = 65_536
	// maxBatches is how many batches may have arrived whose headers were not read yet. Each
	// arrives with the first byte of its header, and a read ends after one.
	maxBatches = 4
)

// ErrFilesLost is the error of a frame whose descriptors arrived when this process could not have
// more. The frame is intact and has no descriptors.
var ErrFilesLost = fmt.Errorf("mp: the descriptors of a message were lost: %w", syscall.EMFILE)

// fdBatch holds the descriptors of one message of the kernel.
type fdBatch struct {
	files     []*os.File
	truncated bool // the kernel dropped the rest
}

// Socket reads a stream socket and keeps the descriptors that come with the bytes. It is not safe
// for concurrent use.
type Socket struct {
	conn    *os.File
	raw     syscall.RawConn
	batches []fdBatch
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

// takeBatch removes the oldest batch, which the header just read has announced.
func (s *Socket) takeBatch(announced int) (fdBatch, error) {
	if len(s.batches) == 0 {
		return fdBatch{}, errors.New("descriptors are missing")
	}
	p := s.batches[0]
	s.batches[0] = fdBatch{}
	s.batches = s.batches[1:]
	if len(p.files) > announced || len(p.files) < announced && !p.truncated {
		CloseFiles(p.files)
		return fdBatch{}, fmt.Errorf("%d descriptors arrived, %d were announced", len(p.files), announced)
	}
	return p, nil
}

// Close closes the descriptors that arrived and were not taken. The socket stays open.
func (s *Socket) Close() {
	for _, p := range s.batches {
		CloseFiles(p.files)
	}
	s.batches = nil
}

// withFDs calls f with the descriptors of up to maxBatchFiles attachments. They stay open during
// the call.
func withFDs(attached []Attachment, fds []int, f func(fds []int) error) (err error) {
	if len(attached) == 0 {
		return f(fds)
	}
	file := attached[0].File
	raw, err := file.SyscallConn()
	called := false
	if err == nil {
		controlErr := raw.Control(func(fd uintptr) {
			called = true
			err = withFDs(attached[1:], append(fds, int(fd)), f)
		})
		if called {
			return err
		}
		err = controlErr
	}
	// Its owner has closed it since it was encoded. The other attachments are sent anyway.
	sign, other := closedPlaceholder()
	if other != nil {
		return errors.Join(err, other)
	}
	defer sign.Close()
	return withFDs(append([]Attachment{{File: sign}}, attached[1:]...), fds, f)
}

// writeWithFiles writes p, the beginning of a frame, to w along with descriptors.
func writeWithFiles(w io.Writer, p []byte, attached []Attachment) error {
	conn, ok := w.(syscall.Conn)
	if !ok {
		return fmt.Errorf("mp: descriptors cannot be sent through a %T: %w", w, errors.ErrUnsupported)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	n := 0
	err = withFDs(attached, make([]int, 0, len(attached)), func(fds []int) (err error) {
		n, err = sendWith(raw, p, fds)
		return err
	})
	if err == nil && n < len(p) {
		_, err = w.Write(p[n:])
	}
	return err
}
