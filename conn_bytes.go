package mp

import (
	"context"
	"fmt"
	"runtime"
)

// SendBytes sends p as one message, which only RecvBytes and RecvBytesInto receive; an empty
// one is a message as well. p is not changed, and is the caller's again when it returns. It
// blocks and fails as Send does. Python's offset and size are p[offset:offset+size] here.
func (c *Conn[T]) SendBytes(ctx context.Context, p []byte) error {
	if err := c.ready(ctx, "Conn.SendBytes"); err != nil {
		return err
	}
	err := c.carrier.SendBytes(ctx, p)
	runtime.KeepAlive(c)
	return err
}

// RecvBytes waits for the next message, which must have been sent by SendBytes, and takes it.
// If it is longer than max bytes, which is known when its first bytes come, the error is
// ErrFull and the message stays (in Python the connection is lost); max 0 is no limit, as
// Python's None. Memory is taken as bytes come, at most twice as much. It blocks and fails as
// Recv does; a value that was sent by Send is an error, and stays.
func (c *Conn[T]) RecvBytes(ctx context.Context, max int) ([]byte, error) {
	if max < 0 {
		return nil, fmt.Errorf("mp: RecvBytes: max is %d, which is negative; 0 is no limit", max)
	}
	if max == 0 {
		max = -1
	}
	return c.recvBytes(ctx, max)
}

// RecvBytesInto is RecvBytes into p, and returns the size of the message. If it is larger than
// p the error is ErrFull, nothing is written to p, and the message stays (Python's
// BufferTooShort has taken it).
func (c *Conn[T]) RecvBytesInto(ctx context.Context, p []byte) (int, error) {
	b, err := c.recvBytes(ctx, len(p))
	return copy(p, b), err
}

func (c *Conn[T]) recvBytes(ctx context.Context, limit int) ([]byte, error) {
	if err := c.ready(ctx, "Conn.RecvBytes"); err != nil {
		return nil, err
	}
	b, err := c.carrier.RecvBytes(ctx, limit)
	runtime.KeepAlive(c)
	return b, err
}
