package thread

import (
	"context"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewValue makes an mp.Value for goroutines of this process, as Python's
// multiprocessing.dummy.Value, with everything that mp.Value promises. It does not wait, and
// costs some ten nanoseconds for a small T, no descriptor, and the memory of three T.
//
// T holds no pointers, as with mp.NewValue, so that a program can move to processes: the
// error names the field that does. In the input of a process, or in a message to one, a
// Value of this package is an error: use mp.NewValue.
func NewValue[T any](v T) (*mp.Value[T], error) { return mp.CarryValue(key.Key{}, v, newValue) }

// value is some words that change at once.
//
// The version's lowest bit says which of two slots is the value. Who changes it writes the
// other one, and then one word, the version. So nobody who reads has to wait for a writer,
// and only reads again when the value has changed twice meanwhile.
type value struct {
	version atomic.Uint64
	slots   [2][]atomic.Uint64
	lock    lock
}

func newValue(words []uint64) *value {
	v := &value{slots: [2][]atomic.Uint64{make([]atomic.Uint64, len(words)), make([]atomic.Uint64, len(words))}}
	v.Commit(words)
	return v
}

// Load copies the value.
func (v *value) Load(to []uint64) {
	for {
		version := v.version.Load()
		slot := v.slots[version&1]
		for i := range to {
			to[i] = slot[i].Load()
		}
		if v.version.Load() == version {
			return
		}
	}
}

// Begin keeps others from changing the value until End.
func (v *value) Begin(ctx context.Context) (token uint64, err error) {
	g, err := v.lock.relock(ctx)
	return g.Token, err
}

// Commit changes the value, between Begin and End.
func (v *value) Commit(from []uint64) {
	next := v.version.Load() + 1
	slot := v.slots[next&1]
	for i := range from {
		slot[i].Store(from[i])
	}
	v.version.Store(next)
}

// End lets others change the value.
func (v *value) End(token uint64) { v.lock.Release(token) }
