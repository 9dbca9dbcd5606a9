package hosted

import (
	"encoding/binary"
	"errors"
)

// A frame is, on the wire:
//
//	4 bytes  the length of what follows, big-endian
//	1 byte   op
//	1 byte   flags: which of the fields follow
//	varint   id of the call; 0: no reply is wanted
//	varint   handle of the object in the session; 0: none
//	varint   n      (flagN)
//	varint   m      (flagM)
//	varint   number of references, then 16 + 8 bytes for each (flagRefs)
//	...      data, up to the end
//
// Varints are those of encoding/binary. The meaning of n, m and data is the op's.
type frame struct {
	op     op
	flags  byte
	id     uint64
	handle uint64
	n, m   uint64
	refs   []Ref
	data   []byte // of a frame that was read: valid until the next one is
	owned  bool   // data is memory of its own
}

const (
	flagEnded byte = 1 << iota // of a request: its ctx has ended before
	flagOK                     // of a reply: the answer to a yes-no question is yes
	flagExact                  // of an error: it is the sentinel itself
	flagN
	flagM
	flagRefs
	flagsKnown = flagEnded | flagOK | flagExact | flagN | flagM | flagRefs
)

const (
	lengthSize = 4
	maxHeader  = 2 + 4*binary.MaxVarintLen64 // without references
	refSize    = 16 + 8
)

// append appends the frame without its length.
func (f *frame) append(b []byte) []byte {
	flags := f.flags &^ (flagN | flagM | flagRefs)
	if f.n != 0 {
		flags |= flagN
	}
	if f.m != 0 {
		flags |= flagM
	}
	if len(f.refs) > 0 {
		flags |= flagRefs
	}
	b = append(b, byte(f.op), flags)
	b = binary.AppendUvarint(b, f.id)
	b = binary.AppendUvarint(b, f.handle)
	if flags&flagN != 0 {
		b = binary.AppendUvarint(b, f.n)
	}
	if flags&flagM != 0 {
		b = binary.AppendUvarint(b, f.m)
	}
	if flags&flagRefs != 0 {
		b = binary.AppendUvarint(b, uint64(len(f.refs)))
		for _, r := range f.refs {
			b = append(b, r.ID[:]...)
			b = binary.LittleEndian.AppendUint64(b, r.Lease)
		}
	}
	return append(b, f.data...)
}

var errFrame = errors.New("mp: a peer that does not speak the protocol: a malformed frame")

// decode reads a frame without its length. Data refers to b. The memory of f.refs is used again.
func (f *frame) decode(b []byte) error {
	refs := f.refs[:0]
	*f = frame{}
	if len(b) < 2 || b[1]&^flagsKnown != 0 {
		return errFrame
	}
	f.op, f.flags, b = op(b[0]), b[1], b[2:]
	fields := [4]*uint64{&f.id, &f.handle, &f.n, &f.m}
	wanted := [4]bool{true, true, f.flags&flagN != 0, f.flags&flagM != 0}
	for i, to := range fields {
		if !wanted[i] {
			continue
		}
		v, n := binary.Uvarint(b)
		if n <= 0 || i >= 2 && v == 0 {
			return errFrame
		}
		*to, b = v, b[n:]
	}
	if f.flags&flagRefs != 0 {
		count, n := binary.Uvarint(b)
		if n <= 0 || count == 0 || count > uint64(len(b)-n)/refSize {
			return errFrame
		}
		b = b[n:]
		for range count {
			var r Ref
			copy(r.ID[:], b)
			r.Lease = binary.LittleEndian.Uint64(b[16:])
			refs, b = append(refs, r), b[refSize:]
		}
		f.refs = refs
	}
	f.data = b
	return nil
}
