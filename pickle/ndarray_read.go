package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"unicode/utf8"
)

// readDType reads numpy.dtype(code, False, True) with its state, which has the byte order
// and, of times, the unit. Structured types are not known.
func readDType(x any) (t dtype, ok bool) {
	o, isObject := x.(*Object)
	if !isObject || o.Module != "numpy" || o.Name != "dtype" || len(o.Args) == 0 {
		return t, false
	}
	code, isText := o.Args[0].(string)
	if !isText {
		return t, false
	}
	if t, ok = parseDType(code); !ok {
		return t, false
	}
	state, hasState := o.State.(Tuple)
	if !hasState {
		return t, o.State == nil
	}
	if len(state) < 5 || state[2] != nil || state[3] != nil || state[4] != nil {
		return t, false
	}
	t.big = state[1] == ">"
	if len(state) == 9 && (t.kind == 'M' || t.kind == 'm') {
		t.unit, ok = readUnit(state[8])
	}
	return t, ok && (t.unit == "" || t.known())
}

// readUnit reads ({}, (b"ns", 1, 1, 1)).
func readUnit(x any) (string, bool) {
	meta, _ := x.(Tuple)
	if len(meta) != 2 {
		return "", false
	}
	parts, _ := meta[1].(Tuple)
	if len(parts) < 2 {
		return "", false
	}
	unit, ok := asBytes(parts[0])
	count, isInt := parts[1].(int64)
	switch {
	case !ok || !isInt || len(unit) > 8:
		return "", false
	case string(unit) == "generic":
		return "", true
	case count == 1:
		return "[" + string(unit) + "]", true
	}
	return fmt.Sprintf("[%d%s]", count, unit), true
}

// readShape reads a tuple of lengths.
func readShape(x any) ([]int, bool) {
	dims, ok := x.(Tuple)
	if !ok || len(dims) > 64 {
		return nil, false
	}
	shape := make([]int, len(dims))
	for i, dim := range dims {
		n, isInt := dim.(int64)
		if !isInt || n < 0 || n > math.MaxInt {
			return nil, false
		}
		shape[i] = int(n)
	}
	return shape, true
}

// buildNDArray reads _reconstruct(ndarray, (0,), b"b") with the state (1, shape, dtype, is
// Fortran, data).
func buildNDArray(d *decoder, n *node) (any, bool, error) {
	state, err := d.natural(n.object.state)
	if err != nil {
		return nil, false, within(err, ".State")
	}
	parts, _ := state.(Tuple)
	class, _ := argAt(n.object.args.items, 0).(Global)
	if len(parts) != 5 || class != (Global{"numpy", "ndarray"}) {
		return nil, false, nil
	}
	shape, ok1 := readShape(parts[1])
	t, ok2 := readDType(parts[2])
	fortran, ok3 := parts[3].(bool)
	if !ok1 || !ok2 || !ok3 {
		return nil, false, nil
	}
	return d.ndarray(shape, t, fortran, parts[4])
}

// buildFromBuffer reads _frombuffer(data, dtype, shape, "C" or "F"), protocol 5's form.
func buildFromBuffer(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 4 {
			return nil, false, nil
		}
		t, ok1 := readDType(args[1])
		shape, ok2 := readShape(args[2])
		if !ok1 || !ok2 || t.kind == 'O' {
			return nil, false, nil
		}
		return d.ndarray(shape, t, args[3] == "F", args[0])
	})
}

func (d *decoder) ndarray(shape []int, t dtype, fortran bool, raw any) (any, bool, error) {
	count, ok := elementsOf(shape)
	if !ok {
		return nil, false, reason("an array with a shape that is none")
	}
	var data any
	if objects, isList := raw.([]any); t.kind == 'O' {
		if !isList || len(objects) != count {
			return nil, false, reason("an array of %d objects with %s as its data", count, describe(raw))
		}
		data = objects
	} else {
		b, isBytes := asBytes(raw)
		if s, isText := raw.(string); isText { // of Python 2
			b, isBytes = []byte(s), true
		}
		if !isBytes || len(b)%t.size != 0 || len(b)/t.size != count {
			return nil, false, reason("an array of %d elements of %d bytes with data of another size", count, t.size)
		}
		if err := d.charge(len(b)); err != nil {
			return nil, false, err
		}
		data = t.decode(b)
	}
	if fortran {
		if err := d.charge(count); err != nil {
			return nil, false, err
		}
		data = rowMajor(data, shape)
	}
	return &NDArray{DType: t.String(), Shape: shape, Data: data}, true, nil
}

// decode converts elements. b is a multiple of the element's size.
func (t dtype) decode(b []byte) any {
	n := len(b) / t.size
	switch t.kind {
	case 'S':
		items := make([][]byte, n)
		for i := range items {
			items[i] = bytes.TrimRight(b[i*t.size:(i+1)*t.size:(i+1)*t.size], "\x00")
		}
		return items
	case 'U':
		items := make([]string, n)
		for i := range items {
			items[i] = t.text(b[i*t.size : (i+1)*t.size])
		}
		return items
	case 'f':
		if t.size == 2 {
			halves := make([]float32, n)
			for i := range halves {
				halves[i] = half(t.order().Uint16(b[2*i:]))
			}
			return halves
		}
	case 'b':
		items := make([]bool, n)
		for i := range items {
			items[i] = b[i] != 0
		}
		return items
	}
	s := reflect.MakeSlice(reflect.SliceOf(t.goType()), n, n).Interface()
	if _, err := binary.Decode(b, t.order(), s); err != nil {
		panic(err) // the sizes agree
	}
	return s
}

func (t dtype) order() binary.ByteOrder {
	if t.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

var goTypes = map[string]reflect.Type{
	"b1": reflect.TypeFor[bool](),
	"i1": reflect.TypeFor[int8](), "i2": reflect.TypeFor[int16](), "i4": reflect.TypeFor[int32](), "i8": reflect.TypeFor[int64](),
	"u1": reflect.TypeFor[uint8](), "u2": reflect.TypeFor[uint16](), "u4": reflect.TypeFor[uint32](), "u8": reflect.TypeFor[uint64](),
	"f4": reflect.TypeFor[float32](), "f8": reflect.TypeFor[float64](),
	"c8": reflect.TypeFor[complex64](), "c16": reflect.TypeFor[complex128](),
}

// goType is the type of the elements of numbers and times.
func (t dtype) goType() reflect.Type {
	if t.kind == 'M' || t.kind == 'm' {
		return reflect.TypeFor[int64]()
	}
	return goTypes[t.String()]
}

// text decodes UTF-32 up to the zeros that fill an element.
func (t dtype) text(b []byte) string {
	for len(b) > 0 && t.order().Uint32(b[len(b)-4:]) == 0 {
		b = b[:len(b)-4]
	}
	s := make([]byte, 0, len(b)/4)
	for ; len(b) > 0; b = b[4:] {
		r := t.order().Uint32(b)
		if r > utf8.MaxRune {
			r = utf8.RuneError
		}
		s = appendCodePoint(s, rune(r))
	}
	return string(s)
}

// half converts a float16.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch {
	case exponent == 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	case exponent > 0:
		return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
	}
	f := float32(fraction) / (1 << 24)
	if sign != 0 {
		f = -f
	}
	return f
}

// buildScalar reads scalar(dtype, bytes).
func buildScalar(d *decoder, n *node) (any, bool, error) {
	v, ok, err := d.scalar(n)
	if !ok || err != nil {
		return nil, false, err
	}
	if v.DType[0] == 'M' || v.DType[0] == 'm' {
		return v, true, nil
	}
	return widen(reflect.ValueOf(v.Value)), true, nil
}

func (d *decoder) scalar(n *node) (*Scalar, bool, error) {
	if name := n.object.class.Name; name != "scalar" {
		return nil, false, nil
	}
	args, ok, err := d.naturalArgs(n)
	if !ok || err != nil || len(args) != 2 {
		return nil, false, err
	}
	t, ok := readDType(args[0])
	if !ok || t.kind == 'O' {
		return nil, false, nil
	}
	b, ok := asBytes(args[1])
	if s, isText := args[1].(string); isText {
		b, ok = []byte(s), true
	}
	if !ok || len(b) != t.size {
		return nil, false, nil
	}
	if err := d.charge(len(b)); err != nil {
		return nil, false, err
	}
	return &Scalar{DType: t.String(), Value: reflect.ValueOf(t.decode(b)).Index(0).Interface()}, true, nil
}

// unsignedInt is an int of Python.
func unsignedInt(u uint64) any {
	if u <= math.MaxInt64 {
		return int64(u)
	}
	return new(big.Int).SetUint64(u)
}
