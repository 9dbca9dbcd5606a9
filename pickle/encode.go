package pickle

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// encoder writes one pickle of protocol 4, without frames: they only help readers of files.
type encoder struct {
	codec   *Codec
	buf     []byte
	depth   int
	memo    uint32            // entries
	names   map[string]uint32 // strings and globals in the memo
	written []reference
	index   map[identity]int // of written, once it is long
	room    [4]reference     // for the first of written
}

// any writes a value that is in an interface. The common types go first.
func (e *encoder) any(v any) error {
	switch v := v.(type) {
	case nil:
		e.op(opNone)
		return nil
	case bool:
		e.bool(v)
		return nil
	case int:
		e.int(int64(v))
		return nil
	case int64:
		e.int(v)
		return nil
	case float64:
		e.float(v)
		return nil
	case string:
		return e.str(v)
	case []byte:
		if v != nil && len(v) < sharedString {
			e.bytes(v)
			return nil
		}
	}
	return e.value(reflect.ValueOf(v))
}

func (e *encoder) op(op ...byte) { e.buf = append(e.buf, op...) }

func (e *encoder) bool(b bool) {
	if b {
		e.op(opNewTrue)
		return
	}
	e.op(opNewFalse)
}

func (e *encoder) int(i int64) {
	switch {
	case i >= 0 && i <= math.MaxUint8:
		e.op(opBinInt1, byte(i))
	case i >= 0 && i <= math.MaxUint16:
		e.op(opBinInt2, byte(i), byte(i>>8))
	case i >= math.MinInt32 && i <= math.MaxInt32:
		e.buf = binary.LittleEndian.AppendUint32(append(e.buf, opBinInt), uint32(i))
	default:
		n := 8
		for n > 1 && i>>(8*n-9) == i>>63 { // the byte before has the sign already
			n--
		}
		e.op(opLong1, byte(n))
		e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(i))
		e.buf = e.buf[:len(e.buf)-8+n]
	}
}

func (e *encoder) uint(u uint64) {
	if u <= math.MaxInt64 {
		e.int(int64(u))
		return
	}
	e.op(opLong1, 9)
	e.buf = append(binary.LittleEndian.AppendUint64(e.buf, u), 0)
}

// bigInt writes two's complement, little-endian.
func (e *encoder) bigInt(x *big.Int) {
	if x.IsInt64() {
		e.int(x.Int64())
		return
	}
	n := x.BitLen()/8 + 1
	if x.Sign() < 0 { // 2^(8n) + x, which has the sign bit set
		x = new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), uint(8*n)), x)
	}
	if n <= math.MaxUint8 {
		e.op(opLong1, byte(n))
	} else {
		e.buf = binary.LittleEndian.AppendUint32(append(e.buf, opLong4), uint32(n))
	}
	at := len(e.buf)
	for _, w := range x.Bits() {
		for range bits.UintSize / 8 {
			e.buf = append(e.buf, byte(w))
			w >>= 8
		}
	}
	for len(e.buf) < at+n {
		e.buf = append(e.buf, 0)
	}
	e.buf = e.buf[:at+n]
}

func (e *encoder) float(f float64) {
	e.buf = binary.BigEndian.AppendUint64(append(e.buf, opBinFloat), math.Float64bits(f))
}

// sharedString is the length from which equal strings and bytes are written once.
const sharedString = 64

// str writes a string. A long one that was written before is a reference to it.
func (e *encoder) str(s string) error {
	if !utf8.ValidString(s) && !validSurrogates(s) {
		return reason("a string that is not UTF-8, which Python cannot read; use []byte")
	}
	if len(s) >= sharedString {
		e.name(s)
		return nil
	}
	e.text(s)
	return nil
}

func (e *encoder) text(s string) {
	e.length(len(s), opShortBinUnicode, opBinUnicode, opBinUnicode8)
	e.buf = append(e.buf, s...)
}

// name writes a string that is likely to occur again.
func (e *encoder) name(s string) {
	if i, ok := e.names[s]; ok {
		e.get(i)
		return
	}
	e.text(s)
	e.remember(s)
}

func (e *encoder) remember(name string) {
	if e.names == nil {
		e.names = make(map[string]uint32)
	}
	e.names[name] = e.memoize()
}

// length writes the opcode for n bytes, and n.
func (e *encoder) length(n int, op1, op4, op8 byte) {
	switch {
	case n <= math.MaxUint8:
		e.op(op1, byte(n))
	case uint64(n) <= math.MaxUint32:
		e.buf = binary.LittleEndian.AppendUint32(append(e.buf, op4), uint32(n))
	default:
		e.buf = binary.LittleEndian.AppendUint64(append(e.buf, op8), uint64(n))
	}
}

func (e *encoder) bytes(b []byte) {
	e.length(len(b), opShortBinBytes, opBinBytes, opBinBytes8)
	e.buf = append(e.buf, b...)
}

func (e *encoder) memoize() uint32 {
	e.op(opMemoize)
	e.memo++
	return e.memo - 1
}

func (e *encoder) get(i uint32) {
	if i <= math.MaxUint8 {
		e.op(opBinGet, byte(i))
		return
	}
	e.buf = binary.LittleEndian.AppendUint32(append(e.buf, opLongBinGet), i)
}

// global writes a class or function by its name.
func (e *encoder) global(g Global) error {
	if !g.valid() {
		return reason("a class or function without a name in UTF-8: %.60q", g)
	}
	key := "\xff" + g.Module + "\xff" + g.Name // no string that Python can read
	if i, ok := e.names[key]; ok {
		e.get(i)
		return nil
	}
	e.name(g.Module)
	e.name(g.Name)
	e.op(opStackGlobal)
	e.remember(key)
	return nil
}

// call writes class(args...).
func (e *encoder) call(module, name string, args ...any) error {
	if err := e.global(Global{module, name}); err != nil {
		return err
	}
	if err := e.tuple(args); err != nil {
		return within(err, ".args")
	}
	e.op(opReduce)
	return nil
}

// tuple writes a new tuple, for arguments.
func (e *encoder) tuple(items []any) error {
	return e.tupleOf(len(items), func(i int) error { return e.any(items[i]) })
}

func (e *encoder) tupleOf(n int, item func(i int) error) error {
	if n > 3 {
		e.op(opMark)
	}
	for i := range n {
		if err := item(i); err != nil {
			return withinIndex(err, i)
		}
	}
	if n > 3 {
		e.op(opTuple)
		return nil
	}
	e.op([]byte{opEmptyTuple, opTuple1, opTuple2, opTuple3}[n])
	return nil
}

// value writes a value of any type.
func (e *encoder) value(v reflect.Value) error {
	if e.depth++; e.depth > maxDepth {
		return reason("nested deeper than %d", maxDepth)
	}
	err := e.typed(v)
	e.depth--
	return err
}

func (e *encoder) typed(v reflect.Value) error {
	t := v.Type()
	if write, ok := writers[t]; ok {
		return write(e, v)
	}
	if t.Kind() == reflect.Pointer && !v.IsNil() {
		if write, ok := pointerWriters[t]; ok {
			return e.once(v, 0, write)
		}
	}
	if t.PkgPath() != "" || t.Kind() == reflect.Pointer {
		if done, err := e.custom(v); done || err != nil {
			return err
		}
	}
	return e.kind(v)
}

// custom writes enums, what the Codec reduces, and errors.
func (e *encoder) custom(v reflect.Value) (done bool, err error) {
	t := v.Type()
	if class, ok := enumType(t); ok {
		return true, e.enum(v, class)
	}
	nilable := t.Kind() == reflect.Pointer || t.Kind() == reflect.Map || t.Kind() == reflect.Func || t.Kind() == reflect.Chan
	if nilable && v.IsNil() {
		return false, nil
	}
	if reduce := e.codec.Reduce; reduce != nil && (nilable || t.Kind() == reflect.Struct) && !isRegistered(t) && v.CanInterface() {
		r, ok, err := reduce(v.Interface())
		if err != nil {
			return true, hookError(err)
		}
		if ok {
			return true, e.reduced(v, r)
		}
	}
	if t.Implements(errorType) && !isRegistered(t) && v.CanInterface() {
		err := v.Interface().(error)
		return true, e.any(&Exception{Class: classFor(err), Args: Tuple{strings.ToValidUTF8(err.Error(), "\ufffd")}})
	}
	return false, nil
}

// reduced writes r in place of v, once.
func (e *encoder) reduced(v reflect.Value, r any) error {
	if r == nil {
		e.op(opNone)
		return nil
	}
	if v.Kind() == reflect.Struct {
		return e.any(r)
	}
	return e.once(v, 0, func(e *encoder, _ reflect.Value) error { return e.any(r) })
}

func isRegistered(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	_, ok := typeClass(t)
	return ok
}

func (e *encoder) enum(v reflect.Value, c *class) error {
	name, ok := c.names[v.Interface()]
	if ok {
		return e.global(Global{c.global.Module, c.global.Name + "." + name})
	}
	if !v.CanInt() && !v.CanUint() {
		return reason("%v is no member of %s", v.Interface(), c.global)
	}
	return e.call(c.global.Module, c.global.Name, widen(v)) // a combination of flags
}

// kind writes a value by the kind of its type.
func (e *encoder) kind(v reflect.Value) error {
	t := v.Type()
	switch t.Kind() {
	case reflect.Bool:
		e.bool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		e.uint(v.Uint())
	case reflect.Float32, reflect.Float64:
		e.float(v.Float())
	case reflect.Complex64, reflect.Complex128:
		c := v.Complex()
		return e.call("builtins", "complex", real(c), imag(c))
	case reflect.String:
		return e.str(v.String())
	case reflect.Interface:
		if v.IsNil() {
			e.op(opNone)
			return nil
		}
		return e.value(v.Elem())
	case reflect.Pointer:
		return e.pointer(v)
	case reflect.Slice:
		return e.slice(v)
	case reflect.Array:
		return e.array(v)
	case reflect.Map:
		return e.mapping(v)
	case reflect.Struct:
		return e.structure(v)
	default:
		return reason("%s has no form in Python", t)
	}
	return nil
}

// durationParts are a timedelta's days, seconds and microseconds.
func durationParts(d time.Duration) (days, seconds, us int64) {
	us = int64(d / time.Microsecond)
	days = us / (24 * 3600 * 1e6)
	if us %= 24 * 3600 * 1e6; us < 0 {
		us += 24 * 3600 * 1e6
		days--
	}
	return days, us / 1e6, us % 1e6
}
