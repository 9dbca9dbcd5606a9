package pickle

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// uint reads a little-endian number of n bytes.
func (m *machine) uint(n uint64) (uint64, error) {
	b, err := m.take(n)
	if err != nil {
		return 0, err
	}
	var x uint64
	for i, c := range b {
		x |= uint64(c) << (8 * i)
	}
	return x, nil
}

// sized reads what is behind a length of n bytes.
func (m *machine) sized(n uint64) ([]byte, error) {
	size, err := m.uint(n)
	if err != nil {
		return nil, err
	}
	return m.take(size)
}

func (m *machine) none() error  { m.push(nil); return nil }
func (m *machine) true() error  { m.push(true); return nil }
func (m *machine) false() error { m.push(false); return nil }

func (m *machine) binInt() error {
	x, err := m.uint(4)
	m.push(int64(int32(uint32(x))))
	return err
}

func (m *machine) binInt1() error {
	if m.pos >= len(m.data) {
		return m.truncated("1 byte announced, 0 are left")
	}
	m.push(int64(m.data[m.pos]))
	m.pos++
	return nil
}

func (m *machine) binInt2() error {
	x, err := m.uint(2)
	m.push(int64(x))
	return err
}

func (m *machine) long1() error {
	b, err := m.sized(1)
	m.push(integer(b))
	return err
}

func (m *machine) long4() error {
	n, err := m.uint(4)
	if err != nil {
		return err
	}
	if n > math.MaxInt32 {
		return m.fail("an int of a negative number of bytes")
	}
	b, err := m.take(n)
	m.push(integer(b))
	return err
}

// integer decodes two's complement, little-endian: an int64, or a *big.Int beyond.
func integer(b []byte) any {
	for len(b) > 1 { // cut what only repeats the sign
		last, before := b[len(b)-1], b[len(b)-2]
		if !(last == 0 && before < 0x80) && !(last == 0xff && before >= 0x80) {
			break
		}
		b = b[:len(b)-1]
	}
	if len(b) <= 8 {
		var x uint64
		for i, c := range b {
			x |= uint64(c) << (8 * i)
		}
		unused := 64 - 8*len(b)
		if unused == 64 {
			return int64(0)
		}
		return int64(x<<unused) >> unused
	}
	words := make([]big.Word, 0, len(b)/(bits.UintSize/8)+1)
	for i := 0; i < len(b); i += bits.UintSize / 8 {
		var w big.Word
		for j, c := range b[i:min(i+bits.UintSize/8, len(b))] {
			w |= big.Word(c) << (8 * j)
		}
		words = append(words, w)
	}
	x := new(big.Int).SetBits(words)
	if b[len(b)-1] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return x
}

func (m *machine) binFloat() error {
	b, err := m.take(8)
	if err != nil {
		return err
	}
	m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	return nil
}

func (m *machine) str(n uint64) error {
	b, err := m.sized(n)
	if err != nil {
		return err
	}
	if !utf8.Valid(b) && !validSurrogates(string(b)) {
		return m.fail("a str that is not UTF-8")
	}
	m.push(string(b))
	return nil
}

func (m *machine) str1() error { return m.str(1) }
func (m *machine) str4() error { return m.str(4) }
func (m *machine) str8() error { return m.str(8) }

// validSurrogates reports whether s is UTF-8 in which surrogates may be encoded like other
// code points: Python's "surrogatepass".
func validSurrogates(s string) bool {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			if len(s) < 3 || s[0] != 0xed || s[1] < 0xa0 || s[1] > 0xbf || s[2] < 0x80 || s[2] > 0xbf {
				return false
			}
			n = 3
		}
		s = s[n:]
	}
	return true
}

// codePoints are those of s, surrogates included, if s is UTF-8 otherwise.
func codePoints(s string) ([]rune, bool) {
	if !validSurrogates(s) {
		return nil, false
	}
	points := make([]rune, 0, len(s))
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r, n = 0xd000|rune(s[1]&0x3f)<<6|rune(s[2]&0x3f), 3
		}
		points = append(points, r)
		s = s[n:]
	}
	return points, true
}

func (m *machine) bytes(n uint64) error {
	b, err := m.sized(n)
	m.push(clone(b))
	return err
}

func clone(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }

func (m *machine) bytes1() error { return m.bytes(1) }
func (m *machine) bytes4() error { return m.bytes(4) }
func (m *machine) bytes8() error { return m.bytes(8) }

func (m *machine) byteArray8() error {
	b, err := m.sized(8)
	m.push(ByteArray(clone(b)))
	return err
}

// binString reads a str of Python 2, whose length is signed.
func (m *machine) binString() error {
	n, err := m.uint(4)
	if err != nil {
		return err
	}
	if n > math.MaxInt32 {
		return m.fail("a str of a negative number of bytes")
	}
	b, err := m.take(n)
	m.push(python2String(b))
	return err
}

func (m *machine) shortBinString() error {
	b, err := m.sized(1)
	m.push(python2String(b))
	return err
}

// python2String is a str of Python 2 as Python 3 means it: text if it is ASCII, else bytes.
func python2String(b []byte) any {
	if slices.ContainsFunc(b, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return clone(b)
	}
	return string(b)
}
