package thread

import (
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewArray makes an mp.Array of n elements, all zero, for goroutines of this process. It is a Go slice, freed
// when it is garbage: unlike with mp.NewArray, what Slice returned may still be used after Close. It needs no
// descriptor and no mp.Main.
//
// T holds no pointers, as with mp.NewArray, so that a program can move to processes: the error names the field
// that does. The error is fs.ErrInvalid if n is negative, and another one if the size cannot be addressed. A
// process cannot receive an Array of this package, neither in an input nor in a message: use mp.NewArray.
func NewArray[T any](n int) (*mp.Array[T], error) {
	return mp.CarryArray(key.Key{}, n, func(n, size int) (carrier.Array[T], error) {
		a, err := inproc.NewArray[T](n, size)
		if err != nil {
			return nil, err
		}
		return a, nil
	})
}

// NewCounter makes an mp.Counter for goroutines of this process. It costs some ten nanoseconds and no
// descriptor, and needs no mp.Main. The error is always nil.
//
// A process cannot receive it, neither in an input nor in a message: use mp.NewCounter.
func NewCounter(v int64) (*mp.Counter, error) {
	return hooks.Counter(inproc.NewCounter(v)).(*mp.Counter), nil
}

// NewValue makes an mp.Value for goroutines of this process, as Python's multiprocessing.dummy.Value. It does
// not wait. For a small T it costs some ten nanoseconds; it takes the memory of three T and no descriptor.
//
// T holds no pointers, as with mp.NewValue, so that a program can move to processes: the error names the field
// that does. A process cannot receive a Value of this package, neither in an input nor in a message: use
// mp.NewValue.
func NewValue[T any](v T) (*mp.Value[T], error) {
	return mp.CarryValue(key.Key{}, v, func(words []uint64) (carrier.Value, error) { return inproc.NewValue(words), nil })
}
