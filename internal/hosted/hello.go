package hosted

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// The first message of each side, in a frame's length, is:
//
//	9 bytes  "mp-hosted"
//	varint   version
//	client:  varint pid, varint length of its name, name
//	server:  16 bytes ID, varint heartbeat in ms, varint the largest frame that it takes
//	server that refuses: version 0, and the reason
//
// The length in front is encoded as in Python's connections, and no pickle begins with this first byte, so one
// listener can serve both protocols.

const (
	magic    = "mp-hosted"
	version  = 1
	maxHello = 512
	maxName  = 256
)

// IsHello says whether the first message of a client is one of this protocol.
func IsHello(message []byte) bool {
	return len(message) >= len(magic) && string(message[:len(magic)]) == magic
}

var errHello = errors.New("mp: a peer that does not speak the protocol: its first message is another one")

type clientHello struct {
	pid  int
	name string
}

func (h clientHello) append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, magic...), version)
	b = binary.AppendUvarint(b, uint64(h.pid))
	name := h.name[:min(len(h.name), maxName)]
	return append(binary.AppendUvarint(b, uint64(len(name))), name...)
}

func (h *clientHello) decode(b []byte) error {
	if !IsHello(b) {
		return errHello
	}
	c := cursor{b: b[len(magic):]}
	if v := c.uvarint(); v != version && !c.bad {
		return fmt.Errorf("mp: the client speaks version %d of the protocol, the server speaks %d: both have to use the same version of mp", v, version)
	}
	h.pid = int(min(c.uvarint(), 1<<31-1))
	n := c.uvarint()
	if n > maxName {
		return errHello
	}
	h.name = string(c.bytes(n))
	if c.bad || len(c.b) > 0 {
		return errHello
	}
	return nil
}

type serverHello struct {
	id        ID
	heartbeat time.Duration
	max       int
}

func (h serverHello) append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, magic...), version)
	b = binary.AppendUvarint(append(b, h.id[:]...), uint64(h.heartbeat.Milliseconds()))
	return binary.AppendUvarint(b, uint64(h.max))
}

func (h *serverHello) decode(b []byte) error {
	if !IsHello(b) {
		return errHello
	}
	c := cursor{b: b[len(magic):]}
	switch v := c.uvarint(); {
	case c.bad:
		return errHello
	case v == 0:
		return fmt.Errorf("mp: the server refuses this client: %.200s", c.b)
	case v != version:
		return fmt.Errorf("mp: the server speaks version %d of the protocol, this client speaks %d: both have to use the same version of mp", v, version)
	}
	copy(h.id[:], c.bytes(uint64(len(h.id))))
	h.heartbeat = time.Duration(min(c.uvarint(), uint64(24*time.Hour/time.Millisecond))) * time.Millisecond
	h.max = int(min(c.uvarint(), maxFrame))
	if c.bad || len(c.b) > 0 || h.heartbeat <= 0 || h.max <= 0 {
		return errHello
	}
	return nil
}

// refusal is the hello of a server that ends the connection.
func refusal(err error) []byte { return append(append([]byte(magic), 0), err.Error()...) }

func writeHello(w io.Writer, hello []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(hello))), hello...))
	return err
}

func readHello(r io.Reader) ([]byte, error) {
	var length [lengthSize]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxHello {
		return nil, errHello
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// cursor takes fields from bytes. bad: there was one too few.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) uvarint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}
