package hosted

import (
	"context"
	"encoding/binary"
	"math"
)

// serveSession does what a frame asks for that names no object of the session.
func (c *serverConn) serveSession(f *frame) {
	switch f.op {
	case opCreate:
		spec, err := c.specOf(f)
		if err != nil {
			c.fail(f, err)
			return
		}
		h, err := c.session.Create(spec)
		c.opened(f, h, err)
	case opOpen:
		var id ID
		if len(f.data) != len(id) {
			c.err = errFrame
			return
		}
		copy(id[:], f.data)
		h, err := c.session.Open(id, f.n)
		c.opened(f, h, err)
	case opLookup:
		name, args, ok := split(f)
		if !ok {
			c.err = errFrame
			return
		}
		c.start(f, nil, func(ctx context.Context, out *frame) error {
			h, err := c.session.Lookup(ctx, name, args)
			if err == nil {
				describe(out, h)
			}
			return err
		})
	case opUnshare:
		c.session.Unshare(f.n)
	}
}

// opened answers with a handle.
func (c *serverConn) opened(f *frame, h *Handle, err error) {
	if err != nil {
		c.fail(f, err)
		return
	}
	var out frame
	describe(&out, h)
	c.reply(f, out)
}

// describe makes a frame say what a client has to know of an object: its handle, kind, number, ID; of a queue
// its capacity, of a condition the ID of its lock.
func describe(out *frame, h *Handle) {
	out.handle, out.n, out.m = h.number, uint64(h.object.kind), h.object.number
	out.data = append([]byte(nil), h.object.id[:]...)
	switch o := h.object.hosted.(type) {
	case *hostedQueue:
		out.data = binary.AppendUvarint(out.data, uint64(o.capacity))
	default:
		if h.object.lock != nil {
			out.data = append(out.data, h.object.lock.id[:]...)
		}
	}
}

// specOf reads what opCreate asks for: n is the kind, m the size, handle the lock, data the number, order or bound,
// and words.
func (c *serverConn) specOf(f *frame) (spec Spec, err error) {
	data := cursor{b: f.data}
	spec = Spec{Kind: Kind(min(f.n, math.MaxUint8)), Size: sizeOf(f.m), Number: data.uvarint()}
	option := data.uvarint()
	spec.Order, spec.Bound = Order(min(option, math.MaxUint8)), option != 0
	if spec.Kind == KindCallable || data.bad || len(data.b)%8 != 0 {
		return spec, errFrame
	}
	spec.Words = wordsOf(data.b)
	if f.handle != 0 {
		if spec.Lock = c.session.handle(f.handle); spec.Lock == nil {
			return spec, errNoHandle
		}
	}
	return spec, nil
}

func appendSpec(b []byte, spec Spec) []byte {
	b = binary.AppendUvarint(b, spec.Number)
	option := uint64(spec.Order)
	if spec.Bound {
		option = 1
	}
	return appendWords(binary.AppendUvarint(b, option), spec.Words)
}

// A size travels as a number that is odd if the size is negative.
func sizeOf(n uint64) int {
	if n&1 != 0 {
		return -1
	}
	return int(min(n>>1, math.MaxInt))
}

func appendSize(size int) uint64 {
	if size < 0 {
		return 1
	}
	return uint64(size) << 1
}

func appendWords(b []byte, words []uint64) []byte {
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

func wordsOf(b []byte) []uint64 {
	words := make([]uint64, len(b)/8)
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return words
}

// split takes a frame's data apart into a name of m bytes and a message of its own.
func split(f *frame) (name string, args Message, ok bool) {
	if f.m > uint64(len(f.data)) {
		return "", args, false
	}
	rest := append([]byte(nil), f.data[f.m:]...)
	return string(f.data[:f.m]), Message{Data: rest, Refs: append([]Ref(nil), f.refs...)}, true
}
