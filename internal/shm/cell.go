//go:build unix

package shm

import (
	"sync/atomic"
	"unsafe"
)

// Cell is a variable of a type without pointers that is copied to and from shared
// memory by words.
type Cell[T any] struct {
	_ [0]uint64
	V T
	_ [7]byte
}

// Words is the memory of the variable, padded.
func (c *Cell[T]) Words() []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(&c.V)), (unsafe.Sizeof(c.V)+7)/8)
}

// Words is n words from a byte offset on, which must be a multiple of 8. They must
// not be used after Close.
func (r *Region) Words(offset, n int) []atomic.Uint64 {
	if n == 0 {
		return nil
	}
	_ = r.mem[offset+8*n-1]
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(r.Word(offset))), n)
}

// PlainWords is Words for one who writes them before he publishes them by an atomic
// word. Others may read them meanwhile, and find out by that word that they must not
// believe what they read.
func (r *Region) PlainWords(offset, n int) []uint64 {
	if n == 0 {
		return nil
	}
	_ = r.mem[offset+8*n-1]
	return unsafe.Slice((*uint64)(unsafe.Pointer(r.Word(offset))), n)
}
