//go:build unix

package shm

import (
	"sync/atomic"
	"unsafe"
)

// Word32 is the 32-bit word at a byte offset, which must be a multiple of 4. It must not be
// used after Close.
func (r *Region) Word32(offset int) *atomic.Uint32 {
	if offset%4 != 0 {
		panic("shm: misaligned word")
	}
	return (*atomic.Uint32)(unsafe.Pointer(&r.mem[offset : offset+4][0]))
}
