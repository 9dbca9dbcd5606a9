package frame

import (
	"encoding/binary"
	"math"
)

// headerSize is the size of a frame's header in bytes: the length of the payload (8,
// little-endian), the kind (1), zeros (3), and the number of descriptors sent with the header's
// first byte (4, little-endian).
const headerSize = 16

// header precedes the payload of a frame.
type header struct {
	length uint64 // of the payload, in bytes
	kind   byte
	files  uint32 // number of descriptors sent with its first byte
}

func (h header) append(to []byte) []byte {
	to = binary.LittleEndian.AppendUint64(to, h.length)
	to = append(to, h.kind, 0, 0, 0)
	return binary.LittleEndian.AppendUint32(to, h.files)
}

// parseHeader decodes a header. reason says what is malformed in it, or is "".
func parseHeader(b []byte) (h header, reason string) {
	h = header{length: binary.LittleEndian.Uint64(b), kind: b[8], files: binary.LittleEndian.Uint32(b[12:])}
	if b[9]|b[10]|b[11] != 0 {
		reason = "the reserved bytes of the header are not zero"
	}
	return h, reason
}

// readHeader reads the header of the next frame, leaves it in the buffer, and takes the descriptors
// of the frame. It may be called again after a temporary error of the stream.
func (f *Reader) readHeader(max int64) (header, error) {
	if f.from == f.to && f.Socket != nil && f.Socket.Pending() {
		return header{}, f.fail(0, max, unannounced)
	}
	if err := f.fill(headerSize); err != nil {
		return header{}, err
	}
	h, reason := parseHeader(f.buf[f.from : f.from+headerSize])
	if reason == "" && (max < 0 || h.length > uint64(max) || h.length > math.MaxInt-headerSize) {
		return h, f.fail(h.length, max, "")
	}
	if reason == "" && h.files > 0 && !f.filesTaken {
		reason = f.takeFiles(h.files)
	}
	if reason != "" {
		return h, f.fail(h.length, max, reason)
	}
	return h, nil
}
