package thread

import (
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
)

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
