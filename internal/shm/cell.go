//go:build unix

package shm

import (
	"sync/atomic"
	"unsafe"
)

// Cell is a variable that is copied to and from shared memory by words. T has no pointers.
type Cell[T any] struct {
	_ [0]uint64
	V T
	_ [7]byte
}

// Words is the memory of the variable, padded to whole words.
func (c *Cell[T]) Words() []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(&c.V)), (unsafe.Sizeof(c.V)+7)/8)
}

// Words is n words from a byte offset on, which must be a multiple of 8. They must not be used
// after Close.
func (r *Region) Words(offset, n int) []atomic.Uint64 {
	if n == 0 {
		return nil
	}
	_ = r.mem[offset+8*n-1]
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(r.Word(offset))), n)
}

// PlainWords is Words for a writer that publishes them afterwards by an atomic word. Other
// processes may read them meanwhile; that word tells them to discard what they read.
func (r *Region) PlainWords(offset, n int) []uint64 {
	if n == 0 {
		return nil
	}
	_ = r.mem[offset+8*n-1]
	return unsafe.Slice((*uint64)(unsafe.Pointer(r.Word(offset))), n)
}
