package inproc

import (
	"fmt"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// Array is a slice of Go's memory.
type Array[T any] struct{ slice atomic.Pointer[[]T] }

// largeArray is the size in bytes from which NewArray asks whether there is room.
const largeArray = 64 << 20

// NewArray makes an array of n elements, all zero, which are size bytes. A size that cannot be
// is an error.
func NewArray[T any](n, size int) (*Array[T], error) {
	if size >= largeArray {
		if err := checkMemory(size); err != nil {
			return nil, err
		}
	}
	s, err := makeSlice[T](n)
	if err != nil {
		return nil, err
	}
	a := new(Array[T])
	a.slice.Store(&s)
	return a, nil
}

// makeSlice is make, but a size that cannot be is an error.
func makeSlice[T any](n int) (s []T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return make([]T, n), nil
}

// Slice is the memory itself; nil after Close.
func (a *Array[T]) Slice() []T {
	if s := a.slice.Load(); s != nil {
		return *s
	}
	return nil
}

// Close lets go of the memory. What Slice has returned may still be used.
func (a *Array[T]) Close() error {
	a.slice.Store(nil)
	return nil
}

// Err implements carrier.Object.
func (a *Array[T]) Err() error {
	if a.slice.Load() == nil {
		return carrier.ErrMemoryClosed
	}
	return nil
}
