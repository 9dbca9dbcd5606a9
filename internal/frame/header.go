package frame

import (
	"encoding/binary"
	"math"
)

// headerSize is the size of a frame's header in bytes: the length of the payload (8,
// little-endian), the kind (1), 1 if the header only announces descriptors (1), zeros (2), and the
// number of descriptors sent with the header's first byte (4, little-endian).
const headerSize = 16

// header is what precedes the payload of a frame.
type header struct {
	length    uint64 // of the payload, in bytes
	kind      byte
	filesOnly bool   // no payload: it announces descriptors of the frame that follows
	files     uint32 // number of descriptors sent with its first byte
}

func (h header) append(to []byte) []byte {
	filesOnly := byte(0)
	if h.filesOnly {
		filesOnly = 1
	}
	to = binary.LittleEndian.AppendUint64(to, h.length)
	to = append(to, h.kind, filesOnly, 0, 0)
	return binary.LittleEndian.AppendUint32(to, h.files)
}

// parseHeader decodes a header. reason tells what is malformed in it, or is "".
func parseHeader(b []byte) (h header, reason string) {
	h = header{
		length:    binary.LittleEndian.Uint64(b),
		kind:      b[8],
		filesOnly: b[9] == 1,
		files:     binary.LittleEndian.Uint32(b[12:]),
	}
	switch {
	case b[9] > 1 || b[10]|b[11] != 0:
		return h, "the reserved bytes of the header are not zero"
	case h.filesOnly && (h.length > 0 || h.kind != 0 || h.files == 0):
		return h, "a header that should only announce descriptors has a payload, or announces none"
	}
	return h, ""
}

// nextHeader reads the header of the next frame and leaves it in the buffer. It takes the
// descriptors of the frame, including those that headers ahead of it announce.
func (f *Reader) nextHeader(max int64) (header, error) {
	for {
		h, err := f.readHeader(max)
		if err != nil || !h.filesOnly {
			return h, err
		}
		f.from += headerSize
		f.headerFilesTaken = false
	}
}

// readHeader reads a header, leaves it in the buffer, and takes the descriptors sent with it.
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
	if reason == "" && h.files > 0 && !f.headerFilesTaken {
		reason = f.takeFiles(h.files)
	}
	if reason != "" {
		return h, f.fail(h.length, max, reason)
	}
	return h, nil
}
