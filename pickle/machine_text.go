package pickle

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// line reads up to a newline: the argument of an opcode of protocol 0.
func (m *machine) line() (string, error) {
	n := bytes.IndexByte(m.data[m.pos:], '\n')
	if n < 0 {
		return "", m.truncated("a line without an end")
	}
	s := string(m.data[m.pos : m.pos+n])
	m.pos += n + 1
	return s, nil
}

func (m *machine) textFloat() error {
	s, err := m.line()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil && f == 0 { // out of range is an infinity, as in Python
		return m.fail("a float that is none: %.40q", s)
	}
	m.push(f)
	return nil
}

func (m *machine) textInt() error {
	s, err := m.line()
	switch {
	case err != nil:
		return err
	case s == "00" || s == "01": // protocol 1 and older write a bool so
		m.push(s == "01")
		return nil
	}
	return m.pushDecimal(s)
}

func (m *machine) textLong() error {
	s, err := m.line()
	if err != nil {
		return err
	}
	return m.pushDecimal(strings.TrimSuffix(s, "L"))
}

func (m *machine) pushDecimal(s string) error {
	s = strings.TrimSpace(s)
	if x, err := strconv.ParseInt(s, 10, 64); err == nil {
		m.push(x)
		return nil
	}
	x, ok := decimalInt(s)
	if !ok {
		return m.fail("an int that is none, or of more than %d digits: %.40q", maxDigits, s)
	}
	m.push(x)
	return nil
}

// maxDigits is the length up to which integers are read from text. The conversion takes
// more than linear time; Python stops at 4,300 digits. Binary integers have no such limit.
const maxDigits = 1_000_000

// decimalInt converts by halves, so that the time is that of a few multiplications and not
// the square of the length.
func decimalInt(s string) (*big.Int, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || len(digits) == 0 || len(digits) > maxDigits || strings.Trim(digits, "0123456789") != "" {
		return nil, false
	}
	const leaf = 512
	powers := []*big.Int{new(big.Int).Exp(big.NewInt(10), big.NewInt(leaf), nil)} // 10^(leaf*2^i)
	for n := 2 * leaf; n < len(digits); n *= 2 {
		last := powers[len(powers)-1]
		powers = append(powers, new(big.Int).Mul(last, last))
	}
	var convert func(digits string, level int) *big.Int
	convert = func(digits string, level int) *big.Int {
		if level < 0 {
			x, _ := new(big.Int).SetString(digits, 10)
			return x
		}
		low := leaf << level
		if len(digits) <= low {
			return convert(digits, level-1)
		}
		cut := len(digits) - low
		x := convert(digits[:cut], level-1)
		x.Mul(x, powers[level])
		return x.Add(x, convert(digits[cut:], level-1))
	}
	x := convert(digits, len(powers)-1)
	if s[0] == '-' {
		x.Neg(x)
	}
	return x, true
}

// textString reads a str of Python 2 as its repr.
func (m *machine) textString() error {
	s, err := m.line()
	if err != nil {
		return err
	}
	s = strings.TrimRight(s, " \t\r")
	if n := len(s); n < 2 || s[0] != s[n-1] || s[0] != '\'' && s[0] != '"' {
		return m.fail("a str without quotes")
	}
	b, ok := unescape(s[1 : len(s)-1])
	if !ok {
		return m.fail("a str with a bad escape")
	}
	m.push(python2String(b))
	return nil
}

// unescape undoes the escapes of a bytes literal.
func unescape(s string) ([]byte, bool) {
	simple := map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		i++
		if i == len(s) {
			return nil, false
		}
		switch c := s[i]; {
		case simple[c] != 0:
			b = append(b, simple[c])
		case c == 'x':
			x, err := strconv.ParseUint(s[min(i+1, len(s)):min(i+3, len(s))], 16, 8)
			if err != nil || i+3 > len(s) {
				return nil, false
			}
			b = append(b, byte(x))
			i += 2
		case c >= '0' && c <= '7':
			end := i + 1
			for end < len(s) && end < i+3 && s[end] >= '0' && s[end] <= '7' {
				end++
			}
			x, _ := strconv.ParseUint(s[i:end], 8, 16)
			b = append(b, byte(x))
			i = end - 1
		default:
			b = append(b, '\\', c)
		}
	}
	return b, true
}

// textUnicode reads Latin-1 with \u and \U escapes ("raw-unicode-escape").
func (m *machine) textUnicode() error {
	s, err := m.line()
	if err != nil {
		return err
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		size := 0
		if s[i] == '\\' && i+1 < len(s) {
			size = map[byte]int{'u': 4, 'U': 8}[s[i+1]]
		}
		if size == 0 {
			b = utf8.AppendRune(b, rune(s[i]))
			continue
		}
		if i+2+size > len(s) {
			return m.fail("a str with a bad escape")
		}
		x, err := strconv.ParseUint(s[i+2:i+2+size], 16, 32)
		if err != nil || x > utf8.MaxRune {
			return m.fail("a str with a bad escape")
		}
		b = appendCodePoint(b, rune(x))
		i += 1 + size
	}
	m.push(string(b))
	return nil
}

// appendCodePoint is utf8.AppendRune that keeps surrogates.
func appendCodePoint(b []byte, r rune) []byte {
	if r >= 0xd800 && r <= 0xdfff {
		return append(b, 0xed, 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(b, r)
}

func (m *machine) textIndex() (uint32, error) {
	s, err := m.line()
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, m.fail("a memo index that is none: %.20q", s)
	}
	return uint32(i), nil
}

func (m *machine) textGet() error {
	i, err := m.textIndex()
	if err != nil {
		return err
	}
	return m.get(i)
}

func (m *machine) textPut() error {
	i, err := m.textIndex()
	if err != nil {
		return err
	}
	return m.put(i)
}

func (m *machine) getSized(n uint64) error {
	i, err := m.uint(n)
	if err != nil {
		return err
	}
	return m.get(uint32(i))
}

func (m *machine) putSized(n uint64) error {
	i, err := m.uint(n)
	if err != nil {
		return err
	}
	return m.put(uint32(i))
}

func (m *machine) binGet() error     { return m.getSized(1) }
func (m *machine) longBinGet() error { return m.getSized(4) }
func (m *machine) binPut() error     { return m.putSized(1) }
func (m *machine) longBinPut() error { return m.putSized(4) }
