package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
)

const (
	// headerSize is the size of a frame's header in bytes: the length of the payload (8,
	// little-endian), the kind (1), 1 if more descriptors follow (1), zeros (2), and the number
	// of descriptors sent with the header's first byte (4, little-endian).
	headerSize = 16
	// smallFrame is the payload size in bytes from which FrameReader allocates memory for a
	// payload. Smaller payloads stay in its buffer.
	smallFrame = 64 << 10
	// firstPayload is the memory allocated for a large payload before any of it has arrived, in
	// bytes.
	firstPayload = 1 << 20
	// payloadGrowth limits the memory of a payload to this multiple of what has arrived.
	payloadGrowth = 16
)

// FrameError is returned when the bytes of a stream are not a frame, or not an acceptable one.
// The stream cannot be read any further.
type FrameError struct {
	Length uint64 // of the payload according to the header, in bytes
	Max    int64  // the caller's limit, in bytes
	Reason string // set if the length is not the problem
}

// Error returns the reason, or both numbers.
func (e *FrameError) Error() string {
	if e.Reason != "" {
		return "wire: not a frame: " + e.Reason
	}
	return fmt.Sprintf("wire: a frame of %d bytes is larger than the limit of %d bytes", e.Length, e.Max)
}

// scratch holds memory in which small frames are assembled, as *[]byte.
var scratch = sync.Pool{New: func() any {
	p := make([]byte, 0, headerSize+smallFrame)
	return &p
}}

// WriteFrame writes the message in b as the payload of one frame. A frame with a payload below 64
// KiB goes out in one Write; larger ones take several, without copying large blocks. Calls for
// the same w must not overlap. After an error, which is that of w, the stream is unusable.
//
// WriteFrame also sends the attachments of b. That fails unless w is a Unix domain socket. The
// caller must settle them.
func WriteFrame(w io.Writer, kind byte, b *Buffer) error {
	attached := b.attached
	if len(attached) > maxBatchFiles {
		var err error
		if attached, err = writeLeadingFiles(w, attached); err != nil {
			return err
		}
	}
	borrowed := scratch.Get().(*[]byte)
	defer scratch.Put(borrowed)
	head := appendHeader((*borrowed)[:0], kind, 0, b.Len(), len(attached))
	return b.coalesced(head, func(piece []byte) error {
		if len(attached) > 0 {
			err := writeWithFiles(w, piece, attached)
			attached = nil
			return err
		}
		n, err := w.Write(piece)
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		return err
	})
}

func appendHeader(to []byte, kind, more byte, length int64, files int) []byte {
	to = binary.LittleEndian.AppendUint64(to, uint64(length))
	to = append(to, kind, more, 0, 0)
	return binary.LittleEndian.AppendUint32(to, uint32(files))
}

// writeLeadingFiles sends attachments ahead of their frame until the rest fit into one message of
// the kernel.
func writeLeadingFiles(w io.Writer, attached []Attachment) (rest []Attachment, err error) {
	if len(attached) > MaxFiles {
		return nil, fmt.Errorf("wire: a message with %d descriptors, more than %d", len(attached), MaxFiles)
	}
	for len(attached) > maxBatchFiles {
		head := appendHeader(nil, 0, 1, 0, maxBatchFiles)
		if err := writeWithFiles(w, head, attached[:maxBatchFiles]); err != nil {
			return nil, err
		}
		attached = attached[maxBatchFiles:]
	}
	return attached, nil
}

// coalesced is eachPiece, with small pieces collected in the memory of head, after what head
// already holds.
func (b *Buffer) coalesced(head []byte, f func([]byte) error) error {
	flush := func() (err error) {
		if len(head) > 0 {
			err = f(head)
			head = head[:0]
		}
		return err
	}
	err := b.eachPiece(func(piece []byte) error {
		if len(head)+len(piece) <= cap(head) {
			head = append(head, piece...)
			return nil
		}
		if err := flush(); err != nil {
			return err
		}
		if len(piece) < smallFrame/2 {
			head = append(head, piece...)
			return nil
		}
		return f(piece)
	})
	if err != nil {
		return err
	}
	return flush()
}

// FrameReader reads frames from a stream. It is not safe for concurrent use.
type FrameReader struct {
	// Spare, if not nil, may return memory aligned to eight bytes. A large payload that fits is
	// read into it, and belongs to the caller as always.
	Spare func() []byte

	// Trusted means that the writer of the stream sends honest lengths: the memory of a large
	// payload is then allocated at once.
	Trusted bool

	// Socket is the source of the stream, with the descriptors that come with it. Nil: none can
	// come.
	Socket *Socket

	source           io.Reader
	buf              []byte // aligned to eight bytes
	from             int    // buf[from:to] is read and not yet consumed
	to               int
	readingLarge     bool
	files            []*os.File // of the current frame
	announced        int        // descriptors announced for the current frame
	filesLost        bool       // some of them were lost
	filesPending     bool       // the current frame has some and was not returned yet
	headerFilesTaken bool       // the descriptors of the header at from were taken
	err              error      // after it the stream cannot be read
}

// NewFrameReader returns a reader of the frames that come from r. It reads as much as fits into
// its buffer of 64 KiB, which it allocates on first use.
func NewFrameReader(r io.Reader) *FrameReader {
	f := &FrameReader{source: r}
	f.Socket, _ = r.(*Socket)
	return f
}

// Buffered returns the number of bytes that were read from the stream and not yet returned by
// Next.
func (f *FrameReader) Buffered() int { return f.to - f.from }

// InFrame reports whether part of a frame has been read. A source may call it in its Read.
func (f *FrameReader) InFrame() bool { return f.readingLarge || f.to > f.from }

// IsLarge reports whether the caller owns a payload that Next returned.
func IsLarge(payload []byte) bool { return len(payload) >= smallFrame }

// Next reads one frame. A payload below 64 KiB is valid until the next call; the caller owns a
// larger one. Both are aligned to eight bytes. A payload longer than max bytes is a *FrameError.
// The error is io.EOF only between frames and io.ErrUnexpectedEOF inside one; other errors are
// those of the stream.
//
// Memory for a large payload grows with what has arrived: 1 MiB first, then up to 16 times as
// much as there is, so a header alone costs at most 1 MiB. The bytes of such a payload are read
// straight into it.
func (f *FrameReader) Next(max int64) (kind byte, payload []byte, err error) {
	if f.err != nil {
		return 0, nil, f.err
	}
	if (f.files != nil || f.filesLost) && !f.filesPending {
		f.dropFiles()
	}
	length, kind, more, err := f.nextHeader(max)
	for err == nil && more {
		length, kind, more, err = f.nextHeader(max)
	}
	if err != nil {
		return 0, nil, err
	}
	if length < smallFrame {
		payload, err = f.small(int(length))
	} else {
		payload, err = f.large(int(length))
	}
	if err != nil {
		return 0, nil, err
	}
	f.filesPending, f.headerFilesTaken, f.announced = false, false, 0
	return kind, payload, nil
}

// nextHeader reads the next header and leaves it in the buffer. more reports that it only
// announced descriptors of the frame whose header comes next; it is consumed then.
func (f *FrameReader) nextHeader(max int64) (length uint64, kind byte, more bool, err error) {
	if f.from == f.to && f.Socket != nil && len(f.Socket.batches) > 0 {
		return 0, 0, false, f.fail(0, max, "descriptors came that no frame announces")
	}
	if err := f.fill(headerSize); err != nil {
		return 0, 0, false, err
	}
	header := f.buf[f.from : f.from+headerSize]
	length, kind, more = binary.LittleEndian.Uint64(header), header[8], header[9] == 1
	if header[9] > 1 || header[10]|header[11] != 0 {
		return 0, 0, false, f.fail(length, max, "the reserved bytes of the header are not zero")
	}
	if max < 0 || length > uint64(max) || length > math.MaxInt-headerSize {
		return 0, 0, false, f.fail(length, max, "")
	}
	n := binary.LittleEndian.Uint32(header[12:])
	if n > 0 && !f.headerFilesTaken {
		if reason := f.takeFiles(n); reason != "" {
			return 0, 0, false, f.fail(length, max, reason)
		}
	}
	if more {
		if length > 0 || kind != 0 || n == 0 {
			return 0, 0, false, f.fail(length, max, "more than descriptors, or none")
		}
		f.from += headerSize
		f.headerFilesTaken = false
	}
	return length, kind, more, nil
}

// fail records an error after which the stream cannot be read.
func (f *FrameReader) fail(length uint64, max int64, reason string) error {
	f.CloseFiles()
	f.err = &FrameError{Length: length, Max: max, Reason: reason}
	return f.err
}

// fill reads until n bytes, at most a small frame, are in the buffer. It consumes nothing, so the
// caller may try again after a temporary error such as a deadline.
func (f *FrameReader) fill(n int) error {
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
			f.err = errors.New("wire: the stream returned an impossible count from Read")
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

// streamError turns the end of the stream inside a frame into io.ErrUnexpectedEOF.
func (f *FrameReader) streamError(err error) error {
	if err == io.EOF && f.to > f.from {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// small returns a payload inside the buffer.
func (f *FrameReader) small(n int) ([]byte, error) {
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

// large returns a payload in memory of its own.
func (f *FrameReader) large(n int) ([]byte, error) {
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
			f.err = err
			return nil, err
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
func (f *FrameReader) allocate(n int) []byte {
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
