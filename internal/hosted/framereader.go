package hosted

import (
	"encoding/binary"
	"fmt"
	"io"
)

// readSize is the memory in which frames are read. A larger frame gets memory of its own.
const readSize = 64 << 10

// frameReader reads frames. It takes memory for a large one as its bytes arrive, so that an announced length
// costs nothing.
type frameReader struct {
	r          io.Reader
	max        int    // bytes of a frame
	arrived    func() // is called when bytes have come
	buf        []byte
	start, end int // of what was read and not taken
}

func newFrameReader(r io.Reader, max int, arrived func()) *frameReader {
	return &frameReader{r: r, max: max, arrived: arrived, buf: make([]byte, readSize)}
}

// next returns the next frame without its length. owned says that it is memory of its own; otherwise it is
// valid until the next call.
func (r *frameReader) next() (b []byte, owned bool, err error) {
	if err := r.fill(lengthSize); err != nil {
		return nil, false, err
	}
	length := uint64(binary.BigEndian.Uint32(r.buf[r.start:]))
	if length > uint64(r.max) {
		return nil, false, fmt.Errorf("mp: a peer announced a message of %d bytes; at most %d are taken", length, r.max)
	}
	n := int(length)
	if n > len(r.buf)-lengthSize {
		r.start += lengthSize
		b, err = r.large(n)
		return b, true, err
	}
	if err := r.fill(lengthSize + n); err != nil {
		return nil, false, midFrame(err)
	}
	b = r.buf[r.start+lengthSize:][:n:n]
	r.start += lengthSize + n
	return b, false, nil
}

// ready says whether a frame, or what next will fail for, is there without reading.
func (r *frameReader) ready() bool {
	n := r.end - r.start
	if n < lengthSize {
		return false
	}
	length := uint64(binary.BigEndian.Uint32(r.buf[r.start:]))
	return uint64(n-lengthSize) >= length || length > uint64(r.max)
}

// fill reads until n bytes are in the buffer, n not being more than its size.
func (r *frameReader) fill(n int) error {
	if r.end-r.start >= n {
		return nil
	}
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	for r.end < n {
		got, err := r.r.Read(r.buf[r.end:])
		if r.end += got; got > 0 {
			r.arrived()
		}
		if err != nil && r.end < n {
			if r.end > 0 {
				return midFrame(err)
			}
			return err
		}
	}
	return nil
}

// large reads n bytes into memory of their own, which grows with what arrives.
func (r *frameReader) large(n int) ([]byte, error) {
	b := make([]byte, 0, min(n, 2*readSize))
	b = append(b, r.buf[r.start:r.end][:min(n, r.end-r.start)]...)
	r.start += len(b)
	for len(b) < n {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), min(n, 2*cap(b)))
			copy(grown, b)
			b = grown
		}
		got, err := r.r.Read(b[len(b):cap(b)])
		if b = b[:len(b)+got]; got > 0 {
			r.arrived()
		}
		if err != nil && len(b) < n {
			return nil, midFrame(err)
		}
	}
	return b, nil
}

func midFrame(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
