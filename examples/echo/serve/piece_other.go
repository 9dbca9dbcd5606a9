//go:build !unix

package serve

import "net"

// pieceReader reads what has come on a connection. It has a buffer all the time, also while it
// waits.
type pieceReader struct {
	conn   net.Conn
	buffer *[pieceSize]byte
}

func newPieceReader(conn net.Conn) *pieceReader {
	return &pieceReader{conn: conn, buffer: buffers.Get().(*[pieceSize]byte)}
}

// next waits for the next piece, which is valid until next or done is called. io.EOF says that
// the client has ended its side.
func (r *pieceReader) next() ([]byte, error) {
	n, err := r.conn.Read(r.buffer[:])
	if n > 0 {
		return r.buffer[:n], nil // the error comes again
	}
	return nil, err
}

// done gives the buffer back.
func (r *pieceReader) done() { buffers.Put(r.buffer) }
