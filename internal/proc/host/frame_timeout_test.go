package host

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/frame"
	"github.com/gomultiprocessing/mp/internal/proc/proto"
)

// slowConn gives a byte at a time, and then nothing any more.
type slowConn struct {
	bytes    []byte
	deadline time.Time
	late     []byte // there when the first deadline has passed
	waited   bool   // for something between two frames
}

func (c *slowConn) SetReadDeadline(t time.Time) error { c.deadline = t; return nil }

func (c *slowConn) Read(p []byte) (int, error) {
	if len(c.bytes) > 0 {
		p[0], c.bytes = c.bytes[0], c.bytes[1:]
		return 1, nil
	}
	if c.deadline.IsZero() {
		c.waited = true
		return 0, io.EOF
	}
	c.bytes, c.late = c.late, nil
	return 0, os.ErrDeadlineExceeded
}

// A frame that does not go on is given up, a socket on which nothing comes is not.
func TestStalledFrame(t *testing.T) {
	var stream bytes.Buffer
	if err := frame.Write(&stream, proto.FrameBell, proto.Empty); err != nil {
		t.Fatal(err)
	}
	huge := append(bytes.Clone(stream.Bytes()), 0, 0, 16, 0, 0, 0, 0, 0, proto.FrameOutcome, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3)
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"between frames": {stream.Bytes(), io.EOF},
		"in a header":    {huge[:20], errFrameTimeout},
		"in a payload":   {huge, errFrameTimeout},
	} {
		conn := &slowConn{bytes: c.bytes}
		s := &frameTimeout{conn: conn, source: conn, patience: time.Second}
		s.frames = frame.NewReader(s)
		if kind, _, err := s.frames.Next(1 << 30); kind != proto.FrameBell || err != nil {
			t.Fatal(name, err)
		}
		if _, _, err := s.frames.Next(1 << 30); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if conn.waited != (c.want == io.EOF) {
			t.Errorf("%s: waited without a deadline: %v", name, conn.waited)
		}
	}
}

// When this process was stopped, the deadline has passed and the bytes are there.
func TestStallOfThisProcess(t *testing.T) {
	var stream bytes.Buffer
	if err := frame.Write(&stream, proto.FrameBell, proto.Empty); err != nil {
		t.Fatal(err)
	}
	conn := &slowConn{bytes: stream.Bytes()[:5], late: stream.Bytes()[5:]}
	s := &frameTimeout{conn: conn, source: conn, patience: time.Second}
	s.frames = frame.NewReader(s)
	if kind, _, err := s.frames.Next(1 << 30); kind != proto.FrameBell || err != nil {
		t.Error(kind, err)
	}
}
