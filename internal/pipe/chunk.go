package pipe

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/fdpass"
)

// Kind is the kind of a message.
type Kind = carrier.MessageKind

// The kinds of messages.
const (
	Value = carrier.ValueMessage
	Bytes = carrier.BytesMessage
)

const (
	headerSize = 16
	maxChunk   = 64 << 10 // bytes of payload
)

// The last byte of a chunk says what becomes of its message.
const (
	continues = 0x55
	complete  = 0xaa
	aborted   = 0x0f
)

// header is the beginning of a chunk.
type header struct {
	kind  Kind
	files int    // descriptors that come with it
	size  int    // bytes of payload
	total uint64 // bytes of the message
}

func (h header) append(to []byte) []byte {
	to = append(to, byte(h.kind), byte(h.files), 'm', 'p')
	to = binary.LittleEndian.AppendUint32(to, uint32(h.size))
	return binary.LittleEndian.AppendUint64(to, h.total)
}

// parseHeader parses headerSize bytes.
func parseHeader(p []byte) (header, error) {
	h := header{
		kind:  Kind(p[0]),
		files: int(p[1]),
		total: binary.LittleEndian.Uint64(p[8:]),
	}
	size := binary.LittleEndian.Uint32(p[4:])
	if h.kind != Value && h.kind != Bytes || h.files > fdpass.Max || p[2] != 'm' || p[3] != 'p' || size > maxChunk || h.total > math.MaxInt64/2 {
		return h, fmt.Errorf("%w: its header is % x", ErrProtocol, p[:headerSize])
	}
	h.size = int(size)
	return h, nil
}
