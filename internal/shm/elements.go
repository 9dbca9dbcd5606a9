package shm

import "unsafe"

// Elements is the beginning of a block's memory as n elements, which must fit; nil if mem is nil.
// T has no pointers.
func Elements[T any](mem []byte, n int) []T {
	if mem == nil {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(mem))), n)
}
