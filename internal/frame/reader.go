package frame

import (
	"fmt"
	"io"

	"github.com/gomultiprocessing/mp/internal/fdpass"
)

const (
	// smallFrame is the payload size in bytes from which Reader allocates memory for a
	// payload. Smaller payloads stay in its buffer.
	smallFrame = 64 << 10
	// firstPayload is the memory allocated for a large payload before any of it has arrived, in
	// bytes.
	firstPayload = 1 << 20
	// payloadGrowth limits the memory of a payload to this multiple of what has arrived.
	payloadGrowth = 16
)

// Error is returned when the bytes of a stream are not a frame, or not an acceptable one.
// The stream cannot be read any further.
type Error struct {
	Length uint64 // of the payload according to the header, in bytes
	Max    int64  // the caller's limit, in bytes
	Reason string // set if the length is not the problem
}

// Error returns the reason or, without one, the length and the limit.
func (e *Error) Error() string {
	if e.Reason != "" {
		return "mp: malformed message: " + e.Reason
	}
	return fmt.Sprintf("mp: a message of %d bytes exceeds the limit of %d bytes", e.Length, e.Max)
}

const unannounced = "descriptors arrived that no header announces"

// Reader reads frames from a stream. It is not safe for concurrent use.
type Reader struct {
	// Spare, if not nil, may return memory aligned to eight bytes. A large payload that fits is
	// read into it, and belongs to the caller as always.
	Spare func() []byte

	// Trusted means that the writer of the stream sends correct lengths: the memory of a large
	// payload is then allocated at once.
	Trusted bool

	// Socket is the source of the stream and of the descriptors that come with it. If it is nil,
	// the stream carries no descriptors.
	Socket *fdpass.Socket

	source       io.Reader
	buf          []byte // aligned to eight bytes
	from         int    // buf[from:to] is read and not yet consumed
	to           int
	readingLarge bool
	files        fdpass.Set // of the last frame or, if filesTaken, of the one that is being read
	filesTaken   bool
	err          error // the stream cannot be read any further
}

// NewReader returns a reader of the frames that come from r. It reads as much as fits into
// its buffer of 64 KiB, which it allocates on first use.
func NewReader(r io.Reader) *Reader {
	f := &Reader{source: r}
	f.Socket, _ = r.(*fdpass.Socket)
	return f
}

// Buffered returns the number of bytes that were read from the stream and not yet returned by
// Next.
func (f *Reader) Buffered() int { return f.to - f.from }

// InFrame reports whether part of a frame has been read. A source may call it in its Read.
func (f *Reader) InFrame() bool { return f.readingLarge || f.to > f.from }

// IsLarge reports whether the caller owns a payload that Next returned.
func IsLarge(payload []byte) bool { return len(payload) >= smallFrame }

// Next reads one frame. A payload below 64 KiB is valid until the next call; the caller owns a
// larger one. Both are aligned to eight bytes. If the payload is longer than max bytes, the error
// is an *Error. The error is io.EOF only between frames, and io.ErrUnexpectedEOF inside one; other
// errors are those of the stream.
//
// Memory for a large payload grows with the bytes that have arrived: 1 MiB first, then up to 16
// times their number, so a header alone costs at most 1 MiB. The bytes of such a payload are read
// straight into this memory.
func (f *Reader) Next(max int64) (kind byte, payload []byte, err error) {
	if f.err != nil {
		return 0, nil, f.err
	}
	if !f.filesTaken && !f.files.Empty() {
		f.dropFiles()
	}
	header, err := f.readHeader(max)
	if err != nil {
		return 0, nil, err
	}
	if header.length < smallFrame {
		payload, err = f.small(int(header.length))
	} else {
		payload, err = f.large(int(header.length))
	}
	if err != nil {
		return 0, nil, err
	}
	f.filesTaken = false
	return header.kind, payload, nil
}

// fail records that the stream cannot be read any further, and returns the error.
func (f *Reader) fail(length uint64, max int64, reason string) error {
	f.CloseFiles()
	f.err = &Error{Length: length, Max: max, Reason: reason}
	return f.err
}

// fill reads until n bytes, at most a small frame, are in the buffer. It consumes nothing, so the
// caller may try again after a temporary error such as a deadline.
func (f *Reader) fill(n int) error {
	if f.buf == nil {
		f.buf = make([]byte, headerSize+smallFrame)
	}
	if f.from == f.to {
		f.from, f.to = 0, 0
	}
	if len(f.buf)-f.from < n {
		f.to = copy(f.buf, f.buf[f.from:f.to])
		f.from = 0
	}
	for idle := 0; f.to-f.from < n; {
		got, err := f.source.Read(f.buf[f.to:])
		if got < 0 || got > len(f.buf)-f.to {
			f.err = fmt.Errorf("mp: cannot read a message: Read of a %T returned %d for a buffer of %d bytes", f.source, got, len(f.buf)-f.to)
			return f.err
		}
		f.to += got
		if f.to-f.from >= n {
			break // the stream will return the error again
		}
		if err != nil {
			return f.streamError(err)
		}
		if idle++; got > 0 {
			idle = 0
		} else if idle == 100 {
			return io.ErrNoProgress
		}
	}
	return nil
}

// streamError turns the end of the stream inside a frame into io.ErrUnexpectedEOF, and descriptors
// that no header announced into an *Error.
func (f *Reader) streamError(err error) error {
	if err == fdpass.ErrUnannounced {
		return f.fail(0, 0, unannounced)
	}
	if err == io.EOF && f.to > f.from {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// small returns a payload inside the buffer.
func (f *Reader) small(n int) ([]byte, error) {
	if err := f.fill(headerSize + n); err != nil {
		return nil, err
	}
	at := f.from + headerSize
	f.from = at + n
	// The header is consumed, so the payload can move down to an aligned position.
	if aligned := at &^ 7; aligned != at {
		copy(f.buf[aligned:], f.buf[at:at+n])
		at = aligned
	}
	return f.buf[at : at+n : at+n], nil
}

// large returns a payload in memory that the caller owns.
func (f *Reader) large(n int) ([]byte, error) {
	f.readingLarge = true
	defer func() { f.readingLarge = false }()
	payload := f.allocate(n)
	f.from += headerSize
	arrived := copy(payload, f.buf[f.from:f.to])
	f.from += arrived
	for {
		got, err := io.ReadFull(f.source, payload[arrived:])
		arrived += got
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			f.err = f.streamError(err)
			return nil, f.err
		}
		if arrived == n {
			return payload, nil
		}
		grown := make([]byte, grow(arrived, n))
		copy(grown, payload)
		payload = grown
	}
}

// allocate returns memory for the beginning of a large payload of n bytes, or for all of it if
// that costs nothing or the stream is trusted.
func (f *Reader) allocate(n int) []byte {
	if f.Spare != nil {
		if spare := f.Spare(); cap(spare) >= n {
			return spare[:n]
		}
	}
	if f.Trusted {
		return make([]byte, n)
	}
	return make([]byte, min(n, firstPayload))
}

// grow returns the next size of a payload of n bytes of which arrived have been read.
func grow(arrived, n int) int {
	if arrived > n/payloadGrowth {
		return n
	}
	return arrived * payloadGrowth
}
