package pickle

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// NDArray is a numpy array. In Go its elements are always in C order, the last index
// changing fastest, and in the byte order of the machine, whatever the sender had.
type NDArray struct {
	// DType is numpy's code of the element type without a byte order: "f8", "i4", "b1",
	// "U5", "M8[ns]". Marshal takes that of Data if it is empty.
	DType string
	// Shape is the length of each dimension; Data has the product of them as elements. An
	// empty Shape is an array of one element without dimensions.
	Shape []int
	// Data is a []bool, []int8 to []int64, []uint8 to []uint64, []float32, []float64,
	// []complex64 or []complex128. Of float16 it is []float32, of bytes (S) [][]byte, of str
	// (U) []string, of datetime64 and timedelta64 []int64, of objects []any.
	Data any
}

// At returns the element at an index, one number for each dimension. It panics like an
// index of a slice.
func (a *NDArray) At(index ...int) any {
	if len(index) != len(a.Shape) {
		panic(fmt.Sprintf("pickle: %d indices for an array of %d dimensions", len(index), len(a.Shape)))
	}
	at := 0
	for i, x := range index {
		if x < 0 || x >= a.Shape[i] {
			panic(fmt.Sprintf("pickle: index %d out of range of dimension %d, which has %d", x, i, a.Shape[i]))
		}
		at = at*a.Shape[i] + x
	}
	return reflect.ValueOf(a.Data).Index(at).Interface()
}

// Scalar is a single numpy value, such as numpy.float32(1.5). Into an interface, a numpy
// value becomes the bool, number, string or []byte that it is; datetime64 and timedelta64
// become a *Scalar. A target of type Scalar takes all of them.
type Scalar struct {
	DType string
	Value any // of the type that an element of NDArray.Data has
}

// Array is an array.array. Data is a []int8 to []int64, []uint8 to []uint64, []float32,
// []float64, or a string for the arrays of characters.
type Array struct{ Data any }

// dtype is an element type of numpy.
type dtype struct {
	big  bool
	kind byte
	size int // bytes
	unit string
}

func (t dtype) String() string {
	if t.kind == 'O' {
		return "O"
	}
	size := t.size
	if t.kind == 'U' {
		size /= 4
	}
	return string(t.kind) + strconv.Itoa(size) + t.unit
}

// maxItem limits the size of one element of a text type.
const maxItem = math.MaxInt32

// parseDType reads a code such as "<f8", "U5" or "M8[ns]".
func parseDType(s string) (t dtype, ok bool) {
	if s != "" && (s[0] == '<' || s[0] == '>' || s[0] == '|' || s[0] == '=') {
		t.big = s[0] == '>'
		s = s[1:]
	}
	if s == "" {
		return t, false
	}
	if s == "O" || s == "?" {
		s = map[string]string{"O": "O8", "?": "b1"}[s]
	}
	t.kind = s[0]
	s = s[1:]
	for i := range len(s) {
		if s[i] == '[' && s[len(s)-1] == ']' {
			s, t.unit = s[:i], s[i:]
			break
		}
	}
	size, err := strconv.ParseUint(s, 10, 31)
	if err != nil || size > maxItem/4 {
		return t, false
	}
	t.size = int(size)
	return t, t.known()
}

func (t *dtype) known() bool {
	time := t.kind == 'M' || t.kind == 'm'
	if t.unit != "" && (!time || strings.Trim(t.unit, "[]0123456789YMWDhmsunpfa") != "") {
		return false
	}
	switch t.kind {
	case 'b':
		return t.size == 1
	case 'i', 'u':
		return t.size == 1 || t.size == 2 || t.size == 4 || t.size == 8
	case 'f':
		return t.size == 2 || t.size == 4 || t.size == 8
	case 'c':
		return t.size == 8 || t.size == 16
	case 'M', 'm', 'O':
		return t.size == 8
	case 'U':
		t.size *= 4
		return t.size > 0
	case 'S':
		return t.size > 0
	}
	return false
}

// elements is the number of elements of a shape, if it is one.
func elementsOf(shape []int) (int, bool) {
	n, zero := 1, false
	for _, dim := range shape {
		if dim < 0 || dim > 0 && n > math.MaxInt/dim {
			return 0, false
		}
		if dim == 0 {
			zero = true
			continue
		}
		n *= dim
	}
	if zero {
		n = 0
	}
	return n, len(shape) <= 64
}

// rowMajor reorders elements from Fortran's order, the first index changing fastest.
func rowMajor(data any, shape []int) any {
	from := reflect.ValueOf(data)
	if len(shape) < 2 || from.Len() < 2 {
		return data
	}
	switch data := data.(type) {
	case []float64:
		return reorder(data, shape)
	case []float32:
		return reorder(data, shape)
	case []int64:
		return reorder(data, shape)
	case []int32:
		return reorder(data, shape)
	case []uint8:
		return reorder(data, shape)
	case []any:
		return reorder(data, shape)
	}
	to := reflect.MakeSlice(from.Type(), from.Len(), from.Len())
	walk(shape, func(c, fortran int) { to.Index(c).Set(from.Index(fortran)) })
	return to.Interface()
}

func reorder[T any](from []T, shape []int) []T {
	to := make([]T, len(from))
	walk(shape, func(c, fortran int) { to[c] = from[fortran] })
	return to
}

// walk calls f with the position of each element in both orders.
func walk(shape []int, f func(c, fortran int)) {
	index := make([]int, len(shape))
	strides := make([]int, len(shape))
	total := 1
	for i, dim := range shape {
		strides[i] = total
		total *= dim
	}
	fortran := 0
	for c := range total {
		f(c, fortran)
		for i := len(shape) - 1; i >= 0; i-- {
			index[i]++
			fortran += strides[i]
			if index[i] < shape[i] {
				break
			}
			fortran -= strides[i] * shape[i]
			index[i] = 0
		}
	}
}

// widen is an element as a value of Python: int64, *big.Int, float64, complex128 or itself.
func widen(v reflect.Value) any {
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return unsignedInt(v.Uint())
	case v.CanFloat():
		return v.Float()
	case v.CanComplex():
		return v.Complex()
	}
	return v.Interface()
}
