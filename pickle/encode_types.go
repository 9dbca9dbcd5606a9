package pickle

import (
	"encoding/binary"
	"math"
	"math/big"
	"reflect"
	"strings"
	"time"
)

type writer = func(e *encoder, v reflect.Value) error

// writers are the types with a meaning of their own, and pointerWriters those whose
// identity counts.
var writers, pointerWriters map[reflect.Type]writer

// write adapts a function of T.
func write[T any](f func(e *encoder, v T) error) (reflect.Type, writer) {
	return reflect.TypeFor[T](), func(e *encoder, v reflect.Value) error { return f(e, v.Interface().(T)) }
}

func init() { // as variables' values they would refer to themselves
	writers, pointerWriters = make(map[reflect.Type]writer), make(map[reflect.Type]writer)
	add := func(t reflect.Type, w writer) { writers[t] = w }
	add(write(func(e *encoder, v Ellipsis) error { return e.global(Global{"builtins", "Ellipsis"}) }))
	add(write(func(e *encoder, v Global) error { return e.global(v) }))
	add(write(func(e *encoder, v Range) error { return e.call("builtins", "range", v.Start, v.Stop, v.Step) }))
	add(write(func(e *encoder, v Slice) error { return e.call("builtins", "slice", v.Start, v.Stop, v.Step) }))
	add(write(func(e *encoder, v UUID) error { return e.call("uuid", "UUID", v.String()) }))
	add(write((*encoder).decimal))
	add(write(func(e *encoder, v Path) error { return e.call("pathlib", "Path", string(v)) }))
	add(write(func(e *encoder, v WindowsPath) error { return e.call("pathlib", "PureWindowsPath", string(v)) }))
	add(write((*encoder).date))
	add(write((*encoder).timeOfDay))
	add(write((*encoder).dateTime))
	add(write((*encoder).instant))
	add(write(func(e *encoder, v time.Duration) error {
		days, seconds, us := durationParts(v)
		return e.call("datetime", "timedelta", days, seconds, us)
	}))
	add(write((*encoder).scalar))
	addSequences(add)
	both := func(t reflect.Type, w writer) { // T and *T
		writers[t] = w
		pointerWriters[reflect.PointerTo(t)] = func(e *encoder, v reflect.Value) error { return w(e, v.Elem()) }
	}
	both(write((*encoder).deque))
	both(write((*encoder).defaultDict))
	both(write((*encoder).ndarray))
	both(write((*encoder).arrayArray))
	both(write((*encoder).exception))
	both(write((*encoder).object))
	pointer := func(t reflect.Type, w writer) { pointerWriters[t] = w }
	pointer(write(func(e *encoder, v *big.Int) error { e.bigInt(v); return nil }))
	pointer(write(func(e *encoder, v *big.Rat) error {
		return e.call("fractions", "Fraction", v.Num(), v.Denom())
	}))
	pointer(write(func(e *encoder, v *time.Location) error { return e.zone(time.Unix(0, 0).In(v)) }))
}

func (e *encoder) decimal(v Decimal) error {
	if !validDecimal(string(v)) {
		return reason("%.40q is no number", string(v))
	}
	return e.call("decimal", "Decimal", string(v))
}

func (e *encoder) date(v Date) error {
	if !v.valid() {
		return reason("%v is no date between the years 1 and 9999", v)
	}
	return e.call("datetime", "date", DateTime{Year: v.Year, Month: v.Month, Day: v.Day}.pack()[:4])
}

func (e *encoder) timeOfDay(v TimeOfDay) error {
	if !v.valid() {
		return reason("%02d:%02d:%02d is no time of day", v.Hour, v.Minute, v.Second)
	}
	b := DateTime{Hour: v.Hour, Minute: v.Minute, Second: v.Second, Microsecond: v.Microsecond}.pack()[4:]
	if v.Fold {
		b[0] |= 0x80
	}
	if v.Zone == nil {
		return e.call("datetime", "time", b)
	}
	return e.call("datetime", "time", b, v.Zone)
}

func (e *encoder) dateTime(v DateTime) error {
	if !v.valid() {
		return reason("%v is no date and time between the years 1 and 9999", v)
	}
	return e.call("datetime", "datetime", v.pack())
}

// instant writes a time.Time as a datetime with a timezone. What is less than a
// microsecond is cut off.
func (e *encoder) instant(t time.Time) error {
	w := wall(t)
	if !w.valid() {
		return reason("%v is not between the years 1 and 9999", t)
	}
	w.Fold = !w.In(t.Location()).Equal(t.Truncate(time.Microsecond))
	if err := e.global(Global{"datetime", "datetime"}); err != nil {
		return err
	}
	e.bytes(w.pack())
	if err := e.zone(t); err != nil {
		return err
	}
	e.op(opTuple2, opReduce)
	return nil
}

// zone writes the zone of t: a fixed offset, or a zone of the database by its name.
func (e *encoder) zone(t time.Time) error {
	name, offset := t.Zone()
	loc := t.Location().String()
	if offset <= -24*3600 || offset >= 24*3600 {
		return reason("a zone of %d seconds east; Python has less than a day", offset)
	}
	key := "\xfe" + loc + "\xff" + name + "\xff" + time.Duration(offset).String()
	if i, ok := e.names[key]; ok {
		e.get(i)
		return nil
	}
	err := error(nil)
	switch delta := time.Duration(offset) * time.Second; {
	case loc != name && loc != "Local" && loc != "":
		err = e.call("zoneinfo", "ZoneInfo", loc)
	case name == offsetName(offset) || !validSurrogates(name):
		err = e.call("datetime", "timezone", delta)
	default:
		err = e.call("datetime", "timezone", delta, name)
	}
	e.remember(key)
	return err
}

func (e *encoder) scalar(v Scalar) error {
	a := &NDArray{DType: v.DType, Data: sliceOf(v.Value)}
	t, raw, err := a.raw()
	if err != nil {
		return err
	}
	if t.kind == 'O' {
		return reason("a numpy scalar of %T", v.Value)
	}
	return e.call("numpy.core.multiarray", "scalar", t.object(), raw)
}

// sliceOf is a slice of one element of v's type.
func sliceOf(v any) any {
	if v == nil {
		return nil
	}
	s := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(v)), 1, 1)
	s.Index(0).Set(reflect.ValueOf(v))
	return s.Interface()
}

func (e *encoder) ndarray(a NDArray) error {
	t, raw, err := a.raw()
	if err != nil {
		return err
	}
	if err := e.call("numpy.core.multiarray", "_reconstruct", Global{"numpy", "ndarray"}, Tuple{0}, []byte("b")); err != nil {
		return err
	}
	shape := make(Tuple, len(a.Shape))
	for i, dim := range a.Shape {
		shape[i] = dim
	}
	if err := e.tuple([]any{1, shape, t.object(), false, raw}); err != nil {
		return within(err, ".Data")
	}
	e.op(opBuild)
	return nil
}

// object is numpy.dtype(code).
func (t dtype) object() *Object {
	code := t.String()
	if t.kind != 'O' {
		code = "<" + code
	}
	return &Object{Module: "numpy", Name: "dtype", Args: Tuple{code}}
}

// arrayArray writes _array_reconstructor(array.array, typecode, format, data).
func (e *encoder) arrayArray(a Array) error {
	code, format := "", 0
	raw := []byte{}
	switch data := a.Data.(type) {
	case string:
		points, ok := codePoints(data)
		if !ok {
			return reason("an array of characters that are not UTF-8")
		}
		code, format = "u", utf32Format
		for _, r := range points {
			raw = binary.LittleEndian.AppendUint32(raw, uint32(r))
		}
	default:
		t, ok := dtypeOf(reflect.TypeOf(a.Data))
		if !ok || t.kind == 'b' || t.kind == 'c' {
			return reason("an array.array of %s", reflectName(a.Data))
		}
		code = map[string]string{"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q",
			"f4": "f", "f8": "d"}[t.String()]
		for machineFormats[format] != "<"+t.String() {
			format++
		}
		raw, _ = binary.Append(raw, binary.LittleEndian, a.Data)
	}
	return e.call("array", "_array_reconstructor", Global{"array", "array"}, code, format, raw)
}

// exception writes the call of the class, its attributes, and a traceback around both.
func (e *encoder) exception(x Exception) error {
	if x.Class == "" {
		return reason("an Exception without a Class")
	}
	remote := x.Traceback != "" && x.Cause == nil
	if remote {
		if err := e.global(Global{"multiprocessing.pool", "rebuild_exc"}); err != nil {
			return err
		}
	}
	if err := e.global(x.global()); err != nil {
		return err
	}
	if err := e.value(reflect.ValueOf(x.Args)); err != nil {
		return within(err, ".Args")
	}
	e.op(opReduce)
	if state := x.state(); len(state) > 0 {
		if err := e.any(state); err != nil {
			return err
		}
		e.op(opBuild)
	}
	if !remote {
		return nil
	}
	if err := e.str(strings.ToValidUTF8(x.Traceback, "\ufffd")); err != nil {
		return err
	}
	e.op(opTuple2, opReduce)
	return nil
}

// toHalf converts to a float16, to the nearest; ties go to the even one.
func toHalf(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	exponent, fraction := int(b>>23&0xff)-127+15, b&0x7fffff
	switch {
	case b&0x7fffffff > 0x7f800000: // NaN
		return sign | 0x7e00
	case exponent >= 0x1f:
		return sign | 0x7c00
	case exponent <= -11:
		return sign
	}
	shift := 13
	if exponent <= 0 { // subnormal
		fraction |= 0x800000
		shift += 1 - exponent
		exponent = 0
	}
	h := uint32(exponent)<<10 | fraction>>shift
	rest, tie := fraction&(1<<shift-1), uint32(1)<<(shift-1)
	if exponent == 0 {
		h = fraction >> shift
	}
	if rest > tie || rest == tie && h&1 == 1 {
		h++
	}
	return sign | uint16(h)
}
