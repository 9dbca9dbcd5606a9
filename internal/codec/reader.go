package codec

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"os"
)

// Reader decodes an encoded message. After the first error every method returns zero values, and
// Err returns the error. A Reader is not safe for concurrent use.
type Reader struct {
	// Alias allows decoded blocks of 64 KiB and more to share the memory of the message. The
	// caller gives that memory away: nothing may write to it again, and it lives as long as one
	// such block.
	Alias bool
	// Errors decodes what Buffer.Errors encoded. It must not return nil.
	Errors func(r *Reader) error

	data      []byte
	attached  []*os.File
	pos       int
	err       error
	tolerated *DecodeError // if lenient: the first tolerated failure of the current value
	lenient   bool         // decoding continues after failures that leave the rest readable
	depth     int
	inKey     bool // inside a map key, see mapkey.go
	zone      zoneMemo
}

// NewReader returns a Reader of the message p, which must not change while it is read. p must
// begin where the message began in the Buffer.
func NewReader(p []byte) *Reader { return &Reader{data: p} }

// Reset makes r read the message p and forget its error. Alias stays; Errors does not.
func (r *Reader) Reset(p []byte) { *r = Reader{Alias: r.Alias, data: p} }

// Len returns the number of bytes left.
func (r *Reader) Len() int { return len(r.data) - r.pos }

// Err returns the first error, or nil.
func (r *Reader) Err() error { return r.err }

// Done returns the first error. Without one, it returns a *DecodeError if bytes or attachments are
// left.
func (r *Reader) Done() error {
	if r.err == nil && r.Len() > 0 {
		return r.fail("the message continues after its value")
	}
	if r.err == nil && len(r.attached) > 0 {
		return r.fail("more descriptors arrived than the value has")
	}
	return r.err
}

// fail records and returns a *DecodeError, unless an error is recorded already.
func (r *Reader) fail(reason string) error { return r.failWith(reason, nil) }

func (r *Reader) failWith(reason string, cause error) error {
	if r.err == nil {
		r.err = &DecodeError{Offset: int64(r.pos), Reason: reason, Err: cause}
	}
	return r.err
}

// tolerates records a failure after which the rest of the message can be read. It reports whether
// to continue: see Plan.DecodeEach.
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

// String reads a string that Buffer.String wrote. With Alias and at least 64 KiB it shares the
// memory of the message; otherwise it is a copy.
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

// Raw reads what Buffer.Raw wrote. The result always shares the memory of the message, and its
// capacity is its length. An empty result is nil.
func (r *Reader) Raw() []byte {
	n := r.Uvarint()
	if n == 0 {
		return nil
	}
	mem, _ := r.block(n)
	return mem
}

// block returns the next n bytes of the message, from where Buffer.block put them.
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

// need fails unless enough bytes are left for n elements of at least size bytes each.
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

// count reads the number of elements of a value that may be nil. Each takes at least size bytes.
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
