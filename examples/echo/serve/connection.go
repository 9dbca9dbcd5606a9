package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
)

// pieceSize is how many bytes are read and sent back at once. The pieces of 64 KiB messages are
// as large as the messages: two calls of the kernel, where io.Copy with splice has four.
const pieceSize = 64 << 10

// buffers are lent to connections that have something to echo.
var buffers = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// connection is one client.
type connection struct {
	s       *Server
	conn    net.Conn
	client  string
	hold    mp.Hold // of the room
	since   time.Time
	in, out int64 // bytes
}

// serve is the connection's goroutine.
func (c *connection) serve(context.Context) error {
	why, err := Panicked, error(nil)
	defer func() { c.leave(why, err) }()
	why, err = c.echo()
	return nil
}

// leave ends the connection. All of its client's bytes were sent before, or never will be. There
// is room for another one before its client sees the end: who comes back then is not refused.
func (c *connection) leave(why Reason, err error) {
	s, n := c.s, c.s.cfg.Numbers
	defer s.active.Done() // whatever the log does
	s.forget(c.conn)
	n.Open.Add(-1)
	n.Ends[why].Add(1)
	if s.cfg.Room != nil {
		c.hold.Release() // it is ours, so there is no error
	}
	c.conn.Close()
	line := []any{"client", c.client, "in", c.in, "out", c.out, "lasted", time.Since(c.since).Round(time.Microsecond), "why", why.String()}
	if why == Failed {
		line = append(line, "error", err)
	}
	s.cfg.Log.Info("connection", line...)
}

// echo sends back what comes, piece by piece, until the client ends its side.
func (c *connection) echo() (Reason, error) {
	r := newPieceReader(c.conn)
	defer r.done()
	if c.s.pieces {
		c.s.cfg.Log.Debug("connected", "client", c.client)
	}
	for {
		if d := c.s.cfg.Idle; d > 0 {
			c.conn.SetReadDeadline(time.Now().Add(d))
		}
		piece, err := r.next()
		if err != nil {
			return reasonOf(err, Idle)
		}
		if reason, err := c.send(piece); err != nil {
			return reason, err
		}
	}
}

// send sends a piece back.
func (c *connection) send(piece []byte) (Reason, error) {
	n := c.s.cfg.Numbers
	c.in += int64(len(piece))
	n.In.Add(int64(len(piece)))
	if d := c.s.cfg.WriteTimeout; d > 0 {
		c.conn.SetWriteDeadline(time.Now().Add(d))
	}
	sent, err := c.conn.Write(piece)
	c.out += int64(sent)
	n.Out.Add(int64(sent))
	if c.s.pieces {
		c.s.cfg.Log.Debug("piece", "client", c.client, "bytes", len(piece), "sent", sent)
	}
	if err != nil {
		return reasonOf(err, Slow)
	}
	return Ended, nil
}

// reasonOf says what an error means; late is what it means that the time was over.
func reasonOf(err error, late Reason) (Reason, error) {
	switch {
	case err == io.EOF:
		return Ended, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return late, err
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return Closed, err
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Reset, err
	}
	return Failed, err
}
