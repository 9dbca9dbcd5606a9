package auth

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// ErrTooLarge is returned for a message that is longer than the limit. Nothing of it was
// read, so the connection can only be closed.
var ErrTooLarge = errors.New("the message is longer than the limit")

// oneWrite is the length up to which header and message are written together, as Python
// does: for small messages a system call costs more than a copy.
const oneWrite = 16 << 10

// firstRead is how much is allocated for a message before any of it has come.
const firstRead = 64 << 10

// AppendHeader appends the header of a message of n bytes.
func AppendHeader(b []byte, n int) []byte {
	if n <= math.MaxInt32 {
		return binary.BigEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, 0xff, 0xff, 0xff, 0xff)
	return binary.BigEndian.AppendUint64(b, uint64(n))
}

// WriteMessage writes message as one frame. After an error the frame may be incomplete.
// Concurrent calls for one w must be kept apart.
func WriteMessage(w io.Writer, message []byte) error {
	header := AppendHeader(make([]byte, 0, 12+min(len(message), oneWrite)), len(message))
	if len(message) <= oneWrite {
		_, err := w.Write(append(header, message...))
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err := w.Write(message)
	return err
}

// ReadMessage reads the next message, of at most limit bytes, and appends it to b. It
// returns io.EOF if the stream ends before a message, and io.ErrUnexpectedEOF if it ends
// inside one. Memory is taken as the bytes come, whatever length is announced.
func ReadMessage(r io.Reader, b []byte, limit int64) ([]byte, error) {
	var header [8]byte
	if _, err := io.ReadFull(r, header[:4]); err != nil {
		return b, err
	}
	n := int64(int32(binary.BigEndian.Uint32(header[:4])))
	if n == -1 {
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return b, inside(err)
		}
		n = int64(min(binary.BigEndian.Uint64(header[:]), math.MaxInt64))
	}
	switch {
	case n < 0:
		return b, fmt.Errorf("a message of %d bytes announced: this is not multiprocessing's protocol", n)
	case n > limit:
		return b, fmt.Errorf("a message of %d bytes announced, the limit is %d: %w", n, limit, ErrTooLarge)
	}
	end := int64(len(b)) + n
	for int64(len(b)) < end {
		if len(b) == cap(b) { // at most twice what has come
			grown := make([]byte, len(b), min(end, int64(max(2*len(b), firstRead))))
			copy(grown, b)
			b = grown
		}
		at := len(b)
		b = b[:min(end, int64(cap(b)))]
		got, err := io.ReadFull(r, b[at:])
		if err != nil {
			return b[:at+got], inside(err)
		}
	}
	return b, nil
}

// inside is err for a place inside of a message.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
