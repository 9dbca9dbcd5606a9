package codec

import (
	"encoding/binary"
	"io"
	"slices"
)

const (
	// largeBlock is the size in bytes from which a block of memory is aligned to eight in the
	// message, and referred to instead of copied.
	largeBlock = 32 << 10
	// minAliased is the size in bytes from which a decoded block may share the memory of the
	// message. Below it, a copy is cheaper than keeping the message alive.
	minAliased = 64 << 10
	// keptCapacity is the most memory that a Buffer keeps across Reset, in bytes.
	keptCapacity = 64 << 10
)

// Buffer collects an encoded message. The zero value is ready to use. A Buffer is not safe for
// concurrent use.
//
// A Buffer does not copy blocks of pointer-free memory, strings and byte slices of 32 KiB and
// more, unless Copy is set. It refers to the memory of the encoded value, which must not change
// until the message is written or the Buffer is reset.
type Buffer struct {
	// Copy makes the buffer copy large blocks as well, so that the encoded value may change once
	// it is encoded.
	Copy bool
	// Max is the size in bytes beyond which encoding fails with an *Error; 0 means no limit. It is
	// checked once per level of the value, so the message may exceed it by the contents of one
	// level.
	Max int64
	// Errors, if not nil, encodes the errors in fields of type error. If it is nil, these fields
	// must hold registered types or sentinels. The Reader needs the matching Errors.
	Errors func(b *Buffer, err error) error

	data       []byte      // the message without the blocks it refers to
	references []reference // ordered by at
	attached   []Attachment
	refs       []Reference
	referred   int64 // total size of references in bytes
	walk       walk
	zone       zoneMemo
	exited     error // an *ExitedError
}

// reference is a block of foreign memory that comes after data[:at].
type reference struct {
	at    int
	block []byte
}

// Mark is a position in a Buffer to which Rewind can go back.
type Mark struct {
	data, references, attached, refs int

	referred int64
}

// Len returns the size of the message in bytes.
func (b *Buffer) Len() int64 { return int64(len(b.data)) + b.referred }

// Reset empties the buffer and drops all references. It keeps at most 64 KiB of memory for the
// next message.
func (b *Buffer) Reset() {
	b.Rewind(Mark{})
	if cap(b.data) > keptCapacity {
		b.data = nil
	}
	if cap(b.references) > 64 {
		b.references = nil
	}
	b.zone = zoneMemo{}
	b.exited = nil
	b.walk = walk{checkpoints: b.walk.checkpoints[:0]}
}

// Exited returns an *ExitedError if a method of an encoded value ended the goroutine. Only a
// deferred function can see it.
func (b *Buffer) Exited() error { return b.exited }

// Mark returns the current end of the message.
func (b *Buffer) Mark() Mark {
	return Mark{data: len(b.data), references: len(b.references), attached: len(b.attached), refs: len(b.refs), referred: b.referred}
}

// Rewind removes everything written since m, attachments included.
func (b *Buffer) Rewind(m Mark) {
	b.data = b.data[:m.data]
	clear(b.references[m.references:])
	b.references = b.references[:m.references]
	b.referred = m.referred
	b.settle(m.attached, false)
	b.settleReferences(m.refs, false)
}

// Bytes returns the whole message. If the buffer refers to large blocks, the result is a copy;
// otherwise it is the buffer's memory, valid until the buffer changes.
func (b *Buffer) Bytes() []byte {
	if len(b.references) == 0 {
		return b.data
	}
	flat := make([]byte, 0, b.Len())
	b.EachPiece(func(piece []byte) error {
		flat = append(flat, piece...)
		return nil
	})
	return flat
}

// WriteTo writes the message to w, with one Write for each run of copied bytes and for each block
// that is referred to. It does not change the buffer.
func (b *Buffer) WriteTo(w io.Writer) (int64, error) {
	var written int64
	err := b.EachPiece(func(piece []byte) error {
		n, err := w.Write(piece)
		written += int64(n)
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		return err
	})
	return written, err
}

// EachPiece calls f with the consecutive parts of the message. No part is empty. EachPiece stops at
// the first error of f and returns it.
func (b *Buffer) EachPiece(f func([]byte) error) error {
	done := 0
	for _, r := range b.references {
		if r.at > done {
			if err := f(b.data[done:r.at]); err != nil {
				return err
			}
			done = r.at
		}
		if err := f(r.block); err != nil {
			return err
		}
	}
	if done < len(b.data) {
		return f(b.data[done:])
	}
	return nil
}

// Byte appends one byte.
func (b *Buffer) Byte(v byte) { b.data = append(b.data, v) }

// Uvarint appends v in 1 to 10 bytes, fewer for small numbers.
func (b *Buffer) Uvarint(v uint64) {
	if v < 0x80 {
		b.data = append(b.data, byte(v))
		return
	}
	b.data = binary.AppendUvarint(b.data, v)
}

// Uint64 appends v in eight bytes, little-endian.
func (b *Buffer) Uint64(v uint64) { b.data = binary.LittleEndian.AppendUint64(b.data, v) }

// String appends s with its length. From 32 KiB on the buffer refers to s, unless Copy is set.
func (b *Buffer) String(s string) {
	b.Uvarint(uint64(len(s)))
	b.block(stringBytes(s))
}

// Raw appends p with its length. From 32 KiB on the buffer refers to p, unless Copy is set. Nil
// and empty are encoded alike.
func (b *Buffer) Raw(p []byte) {
	b.Uvarint(uint64(len(p)))
	b.block(p)
}

// block appends memory whose size the reader knows. Large blocks are aligned to eight bytes, so
// that a reader of an aligned message can use them in place.
func (b *Buffer) block(mem []byte) {
	if len(mem) < largeBlock {
		b.data = append(b.data, mem...)
		return
	}
	b.pad()
	b.refer(mem)
}

// pad extends the message to a multiple of eight bytes.
func (b *Buffer) pad() {
	for b.Len()&7 != 0 {
		b.data = append(b.data, 0)
	}
}

// refer appends mem without copying it, unless Copy is set.
func (b *Buffer) refer(mem []byte) {
	if b.Copy {
		b.data = append(slices.Grow(b.data, len(mem)), mem...)
		return
	}
	b.references = append(b.references, reference{at: len(b.data), block: mem})
	b.referred += int64(len(mem))
}
