package pickle

import (
	"math"
	"math/big"
	"reflect"
)

// assignScalar sets a bool, number or string to v, if nothing of v is lost: an int goes
// into a float that is exactly equal, a float never into an int.
func assignScalar(dst reflect.Value, v any) error {
	t := dst.Type()
	fits := false
	switch t.Kind() {
	case reflect.Bool:
		var b bool
		if b, fits = v.(bool); fits {
			dst.SetBool(b)
		}
	case reflect.String:
		var s string
		if s, fits = text(v); fits {
			dst.SetString(s)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, ok := v.(int64)
		if ok && dst.OverflowInt(i) {
			return reason("%d does not fit %s", i, t)
		}
		if fits = ok; fits {
			dst.SetInt(i)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		u, ok := unsigned(v)
		if i, isInt := v.(int64); isInt && (i < 0 || dst.OverflowUint(u)) {
			return reason("%d does not fit %s", i, t)
		}
		if fits = ok && !dst.OverflowUint(u); fits {
			dst.SetUint(u)
		}
	case reflect.Float32, reflect.Float64:
		var f float64
		if f, fits = float(v, t.Bits()); fits {
			dst.SetFloat(f)
		}
	case reflect.Complex64, reflect.Complex128:
		c, ok := v.(complex128)
		if !ok {
			var f float64
			f, ok = float(v, t.Bits()/2)
			c = complex(f, 0)
		}
		if fits = ok; fits {
			dst.SetComplex(c)
		}
	}
	if !fits {
		if _, ok := v.(*big.Int); ok {
			return reason("an int beyond 64 bits does not fit %s", t)
		}
		return misfit(v, t)
	}
	return nil
}

// text is what goes into strings.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case Path:
		return string(v), true
	case WindowsPath:
		return string(v), true
	case Decimal:
		return string(v), true
	}
	return "", false
}

func unsigned(v any) (uint64, bool) {
	switch v := v.(type) {
	case int64:
		return uint64(v), v >= 0
	case *big.Int:
		return v.Uint64(), v.IsUint64()
	}
	return 0, false
}

// float converts floats and, where that is exact, ints.
func float(v any, bits int) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		f := float64(v)
		if bits == 32 {
			f = float64(float32(v))
		}
		return f, f < math.MaxInt64 && int64(f) == v
	}
	return 0, false
}

// numbers converts a list of numbers, if all of them fit.
func numbers[T any](items []any) ([]T, bool) {
	s := make([]T, len(items))
	for i, item := range items {
		if assignScalar(reflect.ValueOf(&s[i]).Elem(), item) != nil {
			return nil, false
		}
	}
	return s, true
}
