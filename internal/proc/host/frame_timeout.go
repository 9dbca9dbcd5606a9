package host

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/gomultiprocessing/mp/internal/fdpass"
	"github.com/gomultiprocessing/mp/internal/frame"
)

// frameWait is how long a frame may stand still in the middle. A worker writes each
// in one go; one that does not go on was stopped there, or somebody has written the
// beginning of a frame that never was one.
const frameWait = 10 * time.Second

var errFrameTimeout = errors.New("a frame stood still in the middle")

// frameTimeout reads a socket. It does not wait forever for the rest of a frame; between frames it does.
type frameTimeout struct {
	conn     interface{ SetReadDeadline(time.Time) error }
	source   io.Reader // its bytes
	frames   *frame.Reader
	patience time.Duration // 0: forever
	armed    bool
}

// newFrameReader returns a reader of frames whose frames arrive in time.
func newFrameReader(conn *os.File) (*frame.Reader, *frameTimeout) {
	socket := fdpass.NewSocket(conn)
	s := &frameTimeout{conn: conn, source: socket}
	s.frames = frame.NewReader(s)
	s.frames.Socket = socket
	return s.frames, s
}

// Read implements io.Reader.
func (s *frameTimeout) Read(p []byte) (int, error) {
	if inside := s.patience > 0 && s.frames.InFrame(); inside {
		s.armed = s.conn.SetReadDeadline(time.Now().Add(s.patience)) == nil
	} else if s.armed {
		s.armed = false
		s.conn.SetReadDeadline(time.Time{}) // an error: it is closed, which Read tells
	}
	n, err := s.source.Read(p)
	if !s.armed || !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	// Perhaps it is this process that stood still, and what was sent meanwhile is there.
	s.conn.SetReadDeadline(time.Now().Add(min(s.patience, time.Second))) // an error: it is closed, which Read tells
	if n, err = s.source.Read(p); errors.Is(err, os.ErrDeadlineExceeded) {
		err = errFrameTimeout
	}
	return n, err
}
