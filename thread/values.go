package thread

import (
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewArray makes an mp.Array of n elements, all zero, for goroutines of this process. It is
// a Go slice: after Close what was taken of it by Slice may still be used, unlike that of
// mp.NewArray, and it is freed when it is garbage. It needs no descriptor and no mp.Main.
//
// T holds no pointers, as with mp.NewArray, so that a program can move to processes: the
// error names the field that does. It is fs.ErrInvalid when n is negative, and an error when
// the machine has no room for the size. In the input of a process, or in a message to one,
// an Array of this package is an error: use mp.NewArray.
func NewArray[T any](n int) (*mp.Array[T], error) {
	return mp.CarryArray(key.Key{}, n, func(n, size int) (carrier.Array[T], error) {
		a, err := inproc.NewArray[T](n, size)
		if err != nil {
			return nil, err
		}
		return a, nil
	})
}

// NewCounter makes an mp.Counter for goroutines of this process. It costs some ten
// nanoseconds and no descriptor, and needs no mp.Main. The error is always nil.
//
// In the input of a process, or in a message to one, it is an error: use mp.NewCounter.
func NewCounter(v int64) (*mp.Counter, error) {
	return hooks.Counter(inproc.NewCounter(v)).(*mp.Counter), nil
}

// NewValue makes an mp.Value for goroutines of this process, as Python's
// multiprocessing.dummy.Value, with everything that mp.Value promises. It does not wait, and
// costs some ten nanoseconds for a small T, no descriptor, and the memory of three T.
//
// T holds no pointers, as with mp.NewValue, so that a program can move to processes: the
// error names the field that does. In the input of a process, or in a message to one, a
// Value of this package is an error: use mp.NewValue.
func NewValue[T any](v T) (*mp.Value[T], error) {
	return mp.CarryValue(key.Key{}, v, func(words []uint64) (carrier.Value, error) { return inproc.NewValue(words), nil })
}
