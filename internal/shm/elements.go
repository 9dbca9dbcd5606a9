package shm

import "unsafe"

// Elements is the memory of a block, or the beginning of it, as n elements, for which there is room; nil for
// nil. T holds no pointers.
func Elements[T any](mem []byte, n int) []T {
	if mem == nil {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(mem))), n)
}
