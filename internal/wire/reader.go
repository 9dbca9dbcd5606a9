package wire

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"os"
)

// Reader takes an encoded message apart. After the first error every method
// returns zero values, and Err tells the error. A Reader is for one goroutine
// at a time.
type Reader struct {
	// Alias says that decoded blocks of 64 KiB and more may share the memory of
	// the message, which the caller then gives away: nobody writes to it again,
	// and it lives as long as one such block does.
	Alias bool
	// Errors reads what Buffer.Errors wrote. Nil is no error.
	Errors func(r *Reader) error

	data      []byte
	attached  []*os.File
	pos       int
	err       error
	tolerated *DecodeError // while lenient: the first failure of a value that was read to its end
	lenient   bool         // lenient: such a failure does not end the message
	depth     int
	inKey     bool // inside a map key, see mapkey.go
	zone      zoneMemo
}

// NewReader returns a Reader of the message p, which must not change while it
// is read. p must begin where the message began in the Buffer.
func NewReader(p []byte) *Reader { return &Reader{data: p} }

// Reset makes r read the message p and forget its error. Alias stays.
func (r *Reader) Reset(p []byte) { *r = Reader{Alias: r.Alias, data: p} }

// Len returns the number of bytes that are left.
func (r *Reader) Len() int { return len(r.data) - r.pos }

// Err returns the first error, or nil.
func (r *Reader) Err() error { return r.err }

// Done returns the first error; without one, a *DecodeError if bytes or attachments are
// left.
func (r *Reader) Done() error {
	if r.err == nil && r.Len() > 0 {
		return r.fail("the message goes on after its value")
	}
	if r.err == nil && len(r.attached) > 0 {
		return r.fail("more descriptors came than the value has")
	}
	return r.err
}

// fail notes and returns a *DecodeError, or the error noted before.
func (r *Reader) fail(reason string) error { return r.failWith(reason, nil) }

func (r *Reader) failWith(reason string, cause error) error {
	if r.err == nil {
		r.err = &DecodeError{Offset: int64(r.pos), Reason: reason, Err: cause}
	}
	return r.err
}

// forgives notes a failure after which the message can be read on, and says
// whether that is wanted: see Codec.DecodeEach.
func (r *Reader) tolerates(reason string, cause error) bool {
	if !r.lenient {
		r.failWith(reason, cause)
		return false
	}
	if r.tolerated == nil {
		r.tolerated = &DecodeError{Offset: int64(r.pos), Reason: reason, Err: cause}
	}
	return true
}

func (r *Reader) short() error {
	return r.failWith("the message ends inside a value", io.ErrUnexpectedEOF)
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.err != nil || r.pos >= len(r.data) {
		r.short()
		return 0
	}
	v := r.data[r.pos]
	r.pos++
	return v
}

// Uvarint reads a number that Buffer.Uvarint wrote.
func (r *Reader) Uvarint() uint64 {
	if r.err == nil && r.pos < len(r.data) && r.data[r.pos] < 0x80 {
		v := r.data[r.pos]
		r.pos++
		return uint64(v)
	}
	return r.longUvarint()
}

func (r *Reader) longUvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.data[r.pos:])
	switch {
	case n > 0:
		r.pos += n
		return v
	case n == 0:
		r.short()
	default:
		r.fail("a number has more than 64 bits")
	}
	return 0
}

// Uint64 reads a number that Buffer.Uint64 wrote.
func (r *Reader) Uint64() uint64 {
	if r.err != nil || r.Len() < 8 {
		r.short()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.data[r.pos:])
	r.pos += 8
	return v
}

// String reads a string that Buffer.String wrote: a copy, or with Alias and
// 64 KiB or more a view of the message.
func (r *Reader) String() string {
	n := r.Uvarint()
	mem, ok := r.block(n)
	if !ok {
		return ""
	}
	if r.Alias && len(mem) >= minAliased {
		return stringOver(mem)
	}
	return string(mem)
}

// Raw reads what Buffer.Raw wrote. The result is always a view of the message,
// never a copy, its capacity is its length, and nil if nothing is there.
func (r *Reader) Raw() []byte {
	n := r.Uvarint()
	if n == 0 {
		return nil
	}
	mem, _ := r.block(n)
	return mem
}

// block returns the next n bytes of the message, where Buffer.block put them.
func (r *Reader) block(n uint64) ([]byte, bool) {
	if r.err != nil {
		return nil, false
	}
	from := r.pos
	if n >= largeBlock {
		from = (from + 7) &^ 7
	}
	if from > len(r.data) || n > uint64(len(r.data)-from) {
		r.short()
		return nil, false
	}
	r.pos = from + int(n)
	return r.data[from:r.pos:r.pos], true
}

// need fails unless n elements of at least size bytes each can be there.
func (r *Reader) need(n, size uint64) error {
	if r.err != nil {
		return r.err
	}
	high, low := bits.Mul64(n, size)
	if high != 0 || low > uint64(r.Len()) {
		return r.short()
	}
	return nil
}

// count reads the number of elements, each of which takes at least size bytes,
// of something that may be nil.
func (r *Reader) count(size int) (n int, isNil bool, err error) {
	coded := r.Uvarint()
	if r.err != nil {
		return 0, false, r.err
	}
	if coded == 0 {
		return 0, true, nil
	}
	if coded-1 > math.MaxInt {
		return 0, false, r.short()
	}
	if err := r.need(coded-1, uint64(size)); err != nil {
		return 0, false, err
	}
	return int(coded - 1), false, nil
}
