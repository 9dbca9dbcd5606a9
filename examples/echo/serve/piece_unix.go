//go:build unix

package serve

import (
	"io"
	"net"
	"os"
	"syscall"
)

// pieceReader reads what has come on a connection. While it waits it has no buffer: it takes
// one when the kernel says that there is something to read, so thousands of idle connections need
// none.
type pieceReader struct {
	conn   net.Conn
	raw    syscall.RawConn // nil: of a connection that is no socket
	buffer *[pieceSize]byte
	n      int
	err    error
	attend func(fd uintptr) bool
}

func newPieceReader(conn net.Conn) *pieceReader {
	r := &pieceReader{conn: conn}
	if socket, ok := conn.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			r.raw, r.attend = raw, r.receive
		}
	}
	return r
}

// next waits for the next piece, which is valid until next or done is called. io.EOF says that
// the client has ended its side.
func (r *pieceReader) next() ([]byte, error) {
	if r.raw == nil {
		return r.plain()
	}
	r.done()
	r.n, r.err = 0, nil
	if err := r.raw.Read(r.attend); err != nil {
		return nil, err
	}
	switch {
	case r.err != nil:
		return nil, r.err
	case r.n == 0:
		return nil, io.EOF
	}
	return r.buffer[:r.n], nil
}

// receive reads without waiting; false says that there is nothing yet.
func (r *pieceReader) receive(fd uintptr) bool {
	r.buffer = buffers.Get().(*[pieceSize]byte)
	n, err := syscall.Read(int(fd), r.buffer[:])
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), r.buffer[:])
	}
	switch err {
	case nil:
		r.n = n
		return true
	case syscall.EAGAIN:
		r.done()
		return false
	}
	r.err = os.NewSyscallError("read", err)
	return true
}

// plain is next for a connection that only has a Read.
func (r *pieceReader) plain() ([]byte, error) {
	if r.buffer == nil {
		r.buffer = buffers.Get().(*[pieceSize]byte)
	}
	n, err := r.conn.Read(r.buffer[:])
	if n > 0 {
		return r.buffer[:n], nil // the error comes again
	}
	return nil, err
}

// done gives the buffer back.
func (r *pieceReader) done() {
	if r.buffer != nil {
		buffers.Put(r.buffer)
		r.buffer = nil
	}
}
