package wire

import (
	"encoding/binary"
	"io"
	"slices"
)

const (
	// largeBlock is the size in bytes from which a block of memory is padded
	// to a multiple of eight in the message, and not copied into the buffer.
	largeBlock = 32 << 10
	// aliasBlock is the size in bytes from which a decoded block shares the
	// memory of the message. Below it a copy is cheaper than pinning a message.
	minAliased = 64 << 10
	// keptCapacity is what a Buffer keeps across Reset, in bytes.
	keptCapacity = 64 << 10
)

// Buffer collects an encoded message. The zero value is ready. A Buffer is for
// one goroutine at a time.
//
// Blocks of pointer-free memory, strings and byte slices of 32 KiB and more are
// not copied into it: it refers to the memory of the value that was encoded,
// which nobody may write to until the message is written or the Buffer is
// reset. Copy changes that.
type Buffer struct {
	// Copy makes the buffer copy large blocks as well, so that the encoded
	// value may change as soon as encoding is over.
	Copy bool
	// Max is the size in bytes beyond which encoding a value ends in an *Error;
	// 0 is no limit. It is looked at on every level of the value on the way down,
	// so the message may exceed it by what one level holds.
	Max int64
	// Errors, if not nil, writes what fields of type error hold, which otherwise must
	// be of registered types or sentinels. The Reader needs one as well.
	Errors func(b *Buffer, err error) error

	data       []byte      // the message without the blocks it refers to
	references []reference // in the order of at
	attached   []Attachment
	referred   int64 // bytes in references
	walk       walk
	zone       zoneMemo
	exited     error // an *ExitedError
}

// reference is a block of foreign memory that comes after data[:at].
type reference struct {
	at    int
	block []byte
}

// Mark is a place in a Buffer to which Rewind can go back.
type Mark struct {
	data, references, attached int
	referred                   int64
}

// Len returns the size of the message in bytes.
func (b *Buffer) Len() int64 { return int64(len(b.data)) + b.referred }

// Reset empties the buffer and lets go of everything it refers to. It keeps at
// most 64 KiB of memory for the next message.
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

// Exited returns an *ExitedError if a method of a value that was encoded ended the
// goroutine. Only a deferred function can ask for it.
func (b *Buffer) Exited() error { return b.exited }

// Mark notes the present end of the message.
func (b *Buffer) Mark() Mark {
	return Mark{data: len(b.data), references: len(b.references), attached: len(b.attached), referred: b.referred}
}

// Rewind takes back everything that was written after m was noted, attachments included.
func (b *Buffer) Rewind(m Mark) {
	b.data = b.data[:m.data]
	clear(b.references[m.references:])
	b.references = b.references[:m.references]
	b.referred = m.referred
	b.settle(m.attached, false)
}

// Bytes returns the whole message. It copies only if the buffer refers to
// large blocks; otherwise the result is the buffer's memory, valid until the
// buffer changes.
func (b *Buffer) Bytes() []byte {
	if len(b.references) == 0 {
		return b.data
	}
	flat := make([]byte, 0, b.Len())
	b.eachPiece(func(piece []byte) error {
		flat = append(flat, piece...)
		return nil
	})
	return flat
}

// WriteTo writes the message to w, in one Write for what was copied and one for
// each block that is referred to. The buffer stays as it is.
func (b *Buffer) WriteTo(w io.Writer) (int64, error) {
	var written int64
	err := b.eachPiece(func(piece []byte) error {
		n, err := w.Write(piece)
		written += int64(n)
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		return err
	})
	return written, err
}

// pieces calls f with the consecutive parts of the message, none of them empty.
func (b *Buffer) eachPiece(f func([]byte) error) error {
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

// String appends s with its length. From 32 KiB on it is referred to, not
// copied, unless Copy is set.
func (b *Buffer) String(s string) {
	b.Uvarint(uint64(len(s)))
	b.block(stringBytes(s))
}

// Raw appends p with its length. From 32 KiB on it is referred to, not copied,
// unless Copy is set. Nil and empty are the same.
func (b *Buffer) Raw(p []byte) {
	b.Uvarint(uint64(len(p)))
	b.block(p)
}

// block appends memory whose size the reader knows. Large blocks begin at a
// multiple of eight from the start of the message, so that a reader whose
// message is aligned can use them in place.
func (b *Buffer) block(mem []byte) {
	if len(mem) < largeBlock {
		b.data = append(b.data, mem...)
		return
	}
	b.pad()
	b.refer(mem)
}

// pad brings the message to a multiple of eight.
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
