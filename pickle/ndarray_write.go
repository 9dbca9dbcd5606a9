package pickle

import (
	"encoding/binary"
	"reflect"
)

// dtypeOf is the element type of a slice of numbers.
func dtypeOf(t reflect.Type) (dtype, bool) {
	if t == nil || t.Kind() != reflect.Slice || t.Elem().PkgPath() != "" {
		return dtype{}, false
	}
	for code, elem := range goTypes {
		if elem == t.Elem() {
			return parseDType(code)
		}
	}
	return dtype{}, false
}

// raw is the array's data as numpy's state has it, in C order, little-endian.
func (a *NDArray) raw() (t dtype, raw any, err error) {
	v := reflect.ValueOf(a.Data)
	count, ok := elementsOf(a.Shape)
	if !v.IsValid() || v.Kind() != reflect.Slice {
		return t, nil, within(reason("%s, which is no slice", reflectName(a.Data)), ".Data")
	}
	if !ok || v.Len() != count {
		return t, nil, reason("an array of the shape %v with %d elements", a.Shape, v.Len())
	}
	if a.DType != "" {
		if t, ok = parseDType(a.DType); !ok {
			return t, nil, within(reason("%.40q is no known type of numpy", a.DType), ".DType")
		}
		t.big = false
	}
	switch data := a.Data.(type) {
	case []any:
		return dtype{kind: 'O', size: 8}, data, nil
	case []string:
		t, raw, err = rawText(t, data)
	case [][]byte:
		t, raw, err = rawBytes(t, data)
	default:
		t, raw, err = rawNumbers(t, a)
	}
	return t, raw, err
}

func rawNumbers(t dtype, a *NDArray) (dtype, any, error) {
	natural, ok := dtypeOf(reflect.TypeOf(a.Data))
	if !ok {
		return t, nil, within(reason("%s has no type in numpy", reflectName(a.Data)), ".Data")
	}
	if floats, isFloat := a.Data.([]float32); isFloat && t.kind == 'f' && t.size == 2 {
		b := make([]byte, 0, 2*len(floats))
		for _, f := range floats {
			b = binary.LittleEndian.AppendUint16(b, toHalf(f))
		}
		return t, b, nil
	}
	if t.kind == 0 {
		t = natural
	}
	isTime := t.kind == 'M' || t.kind == 'm'
	if isTime && natural.String() != "i8" || !isTime && t != natural {
		return t, nil, within(reason("%s as numpy's %s", reflectName(a.Data), t), ".Data")
	}
	b, err := binary.Append(make([]byte, 0, t.size*reflect.ValueOf(a.Data).Len()), binary.LittleEndian, a.Data)
	return t, b, err
}

// maxArray limits the size of an array of texts, all of which get the longest one's size.
const maxArray = 1 << 30

func textSize(t dtype, kind byte, unit, longest, count int) (dtype, error) {
	switch {
	case t.kind == 0:
		t = dtype{kind: kind, size: unit * max(longest, 1)}
	case t.kind != kind || t.size < unit*longest:
		return t, within(reason("a text of %d does not fit numpy's %s", longest, t), ".Data")
	}
	if count > 0 && t.size > maxArray/count {
		return t, within(reason("%d texts of %s need more than a GiB in numpy", count, t), ".Data")
	}
	return t, nil
}

func rawText(t dtype, data []string) (dtype, any, error) {
	longest := 0
	texts := make([][]rune, len(data))
	for i, s := range data {
		var ok bool
		if texts[i], ok = codePoints(s); !ok {
			return t, nil, within(withinIndex(reason("a string that is not UTF-8"), i), ".Data")
		}
		longest = max(longest, len(texts[i]))
	}
	t, err := textSize(t, 'U', 4, longest, len(data))
	if err != nil {
		return t, nil, err
	}
	b := make([]byte, 0, t.size*len(data))
	for i, s := range texts {
		for _, r := range s {
			b = binary.LittleEndian.AppendUint32(b, uint32(r))
		}
		b = b[:t.size*(i+1)]
	}
	return t, b, nil
}

func rawBytes(t dtype, data [][]byte) (dtype, any, error) {
	longest := 0
	for _, s := range data {
		longest = max(longest, len(s))
	}
	t, err := textSize(t, 'S', 1, longest, len(data))
	if err != nil {
		return t, nil, err
	}
	b := make([]byte, 0, t.size*len(data))
	for i, s := range data {
		b = append(b, s...)[:t.size*(i+1)]
	}
	return t, b, nil
}
