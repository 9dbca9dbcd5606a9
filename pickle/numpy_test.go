package pickle_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/gomultiprocessing/mp/pickle"
)

// eachNumpy runs test once for each Python that has numpy, or skips.
func eachNumpy(t *testing.T, test func(t *testing.T, p *peer)) {
	eachPython(t, func(t *testing.T, p *peer) {
		if p.numpy == "" {
			t.Skip("this Python has no numpy: nothing to compare arrays with")
		}
		test(t, p)
	})
}

func array(dtype string, data any, shape ...int) *pickle.NDArray {
	return &pickle.NDArray{DType: dtype, Shape: append([]int{}, shape...), Data: data}
}

func arrays() []value {
	return []value{
		{"numpy.array([1.5, -2])", array("f8", []float64{1.5, -2}, 2), 0},
		{"numpy.arange(6, dtype='i4').reshape(2, 3)", array("i4", []int32{0, 1, 2, 3, 4, 5}, 2, 3), 0},
		{"numpy.arange(24, dtype='u2').reshape(2, 3, 4)", array("u2", []uint16{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}, 2, 3, 4), 0},
		{"numpy.array([[True], [False]])", array("b1", []bool{true, false}, 2, 1), 0},
		{"numpy.array(7, dtype='i8')", array("i8", []int64{7}), 0},
		{"numpy.zeros((0, 3), dtype='f4')", array("f4", []float32{}, 0, 3), 0},
		{"numpy.array([2**64-1], dtype='u8')", array("u8", []uint64{math.MaxUint64}, 1), 0},
		{"numpy.array([1+2j])", array("c16", []complex128{1 + 2i}, 1), 0}, {"numpy.array([1+2j], dtype='c8')", array("c8", []complex64{1 + 2i}, 1), 0},
		{"numpy.array([1.5, 65504, 6e-8, float('inf')], dtype='f2')", array("f2", []float32{1.5, 65504, 5.9604645e-08, float32(math.Inf(1))}, 4), 0},
		{"numpy.array(['ab', '', 'h\\u00e9llo'])", array("U5", []string{"ab", "", "h\u00e9llo"}, 3), 0},
		{"numpy.array([b'ab', b''])", array("S2", [][]byte{[]byte("ab"), {}}, 2), 0},
		{"numpy.array(['2024-01-01'], dtype='M8[D]')", array("M8[D]", []int64{19723}, 1), 0},
		{"numpy.array([5], dtype='m8[25us]')", array("m8[25us]", []int64{5}, 1), 0},
		{"numpy.array([1, 'a', None], dtype=object)", array("O", []any{int64(1), "a", nil}, 3), 0},
	}
}

func TestArraysBothWays(t *testing.T) {
	eachNumpy(t, func(t *testing.T, p *peer) {
		for _, v := range arrays() {
			for _, protocol := range p.protocols() {
				for _, expr := range []string{v.expr, "numpy.asfortranarray(" + v.expr + ").reshape(" + v.expr + ".shape, order='A')",
					"(lambda a: a.astype(a.dtype.newbyteorder('>')))(" + v.expr + ")"} {
					var got any
					if err := pickle.Unmarshal(p.dumps(expr, protocol), &got); err != nil || !reflect.DeepEqual(got, v.want) {
						t.Errorf("%s, protocol %d: %+v, %v; want %+v", expr, protocol, got, err, v.want)
					}
				}
			}
			b, err := pickle.Marshal(v.want)
			if err != nil {
				t.Errorf("%s: %v", v.expr, err)
				continue
			}
			p.equal(v.expr, b)
		}
	})
}

func TestScalarsOfNumpy(t *testing.T) {
	eachNumpy(t, func(t *testing.T, p *peer) {
		for _, v := range []struct {
			expr   string
			want   any
			scalar pickle.Scalar
		}{
			{"numpy.float32(1.5)", 1.5, pickle.Scalar{DType: "f4", Value: float32(1.5)}},
			{"numpy.float64(1.5)", 1.5, pickle.Scalar{DType: "f8", Value: 1.5}},
			{"numpy.int8(-3)", int64(-3), pickle.Scalar{DType: "i1", Value: int8(-3)}},
			{"numpy.uint64(2**64-1)", bigInt("0xffffffffffffffff"), pickle.Scalar{DType: "u8", Value: uint64(math.MaxUint64)}},
			{"numpy.bool_(True)", true, pickle.Scalar{DType: "b1", Value: true}},
			{"numpy.str_('ab')", "ab", pickle.Scalar{DType: "U2", Value: "ab"}},
			{"numpy.datetime64('2024-01-01', 's')", &pickle.Scalar{DType: "M8[s]", Value: int64(1704067200)}, pickle.Scalar{DType: "M8[s]", Value: int64(1704067200)}},
		} {
			data := p.dumps(v.expr, 4)
			var got any
			if err := pickle.Unmarshal(data, &got); err != nil || !reflect.DeepEqual(got, v.want) {
				t.Errorf("%s: %#v, %v", v.expr, got, err)
			}
			var scalar pickle.Scalar
			if err := pickle.Unmarshal(data, &scalar); err != nil || !reflect.DeepEqual(scalar, v.scalar) {
				t.Errorf("%s: %#v, %v", v.expr, scalar, err)
			}
			b, err := pickle.Marshal(v.scalar)
			if err != nil {
				t.Errorf("%s: %v", v.expr, err)
				continue
			}
			p.equal(v.expr, b)
		}
		var floats []float64
		if err := pickle.Unmarshal(p.dumps("numpy.arange(3, dtype='f4')", 4), &floats); err != nil || !reflect.DeepEqual(floats, []float64{0, 1, 2}) {
			t.Errorf("%v, %v", floats, err)
		}
	})
}

func TestArraysReadAsWritten(t *testing.T) {
	t.Parallel()
	for _, v := range arrays() {
		b, err := pickle.Marshal(v.want)
		if err != nil {
			t.Errorf("%s: %v", v.expr, err)
			continue
		}
		var got *pickle.NDArray
		if err := pickle.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, v.want) {
			t.Errorf("%s: %+v, %v", v.expr, got, err)
		}
	}
	a := array("i4", []int32{0, 1, 2, 3, 4, 5}, 2, 3)
	if a.At(1, 2) != int32(5) || a.At(0, 1) != int32(1) {
		t.Error("At")
	}
}
