package thread

import (
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
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
