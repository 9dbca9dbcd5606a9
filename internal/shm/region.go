//go:build unix

package shm

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Region is shared memory that is mapped into this process.
type Region struct {
	mem  []byte
	file atomic.Pointer[os.File] // nil after CloseFile
}

// New makes a region of size bytes, all zero. The name is shown in /proc and by debuggers. A
// region costs a descriptor and a mapping until Close.
func New(name string, size int) (*Region, error) {
	f, err := create(name, int64(size))
	if err != nil {
		return nil, errtext.Errorf("mp: %d bytes of shared memory: %w", size, err)
	}
	return mapFile(f, size)
}

// Open maps a region that another process made. It takes over the descriptor, and closes it
// when it fails.
func Open(f *os.File, size int) (*Region, error) {
	if err := check(f, int64(size)); err != nil {
		f.Close()
		return nil, errtext.Errorf("mp: shared memory: %w", err)
	}
	return mapFile(f, size)
}

func mapFile(f *os.File, size int) (*Region, error) {
	mem, err := mapShared(f, size)
	if err != nil {
		f.Close()
		return nil, errtext.Errorf("mp: mapping %d bytes of shared memory: %w", size, err)
	}
	r := &Region{mem: mem}
	r.file.Store(f)
	return r, nil
}

// File is the region's descriptor, which a child can inherit; nil after CloseFile.
func (r *Region) File() *os.File { return r.file.Load() }

// SetFile gives the region a descriptor again after CloseFile.
func (r *Region) SetFile(f *os.File) { r.file.Store(f) }

// withFile calls f with the region's descriptor, which stays open meanwhile.
func (r *Region) withFile(f func(fd int) error) error {
	file := r.file.Load()
	if file == nil {
		return os.ErrClosed
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	result := os.ErrClosed
	raw.Control(func(fd uintptr) { result = f(int(fd)) })
	return result
}

// Size is the region's size in bytes.
func (r *Region) Size() int { return len(r.mem) }

// Word is the 64-bit word at a byte offset, which must be a multiple of 8. It must not be used
// after Close.
func (r *Region) Word(offset int) *atomic.Uint64 {
	if offset%8 != 0 {
		panic("shm: misaligned word")
	}
	return (*atomic.Uint64)(unsafe.Pointer(&r.mem[offset : offset+8][0]))
}

// WordOf is the word at the start of b, which must be memory of the region.
func (r *Region) WordOf(b []byte) *atomic.Uint64 {
	return r.Word(int(uintptr(unsafe.Pointer(&b[0])) - uintptr(unsafe.Pointer(&r.mem[0]))))
}

// Bytes is n bytes of the memory. They must not be used after Close.
func (r *Region) Bytes(offset, n int) []byte { return r.mem[offset : offset+n : offset+n] }

// CloseFile closes the descriptor and keeps the mapping.
func (r *Region) CloseFile() error {
	if f := r.file.Swap(nil); f != nil {
		return f.Close()
	}
	return nil
}

// Close unmaps the region and closes its descriptor. The memory must not be used afterwards:
// that crashes the process.
func (r *Region) Close() error {
	err := unix.Munmap(r.mem)
	r.mem = nil
	r.CloseFile()
	return err
}

// Unmap ends the mapping of a region that has no descriptor.
func (r *Region) Unmap() error {
	err := unix.Munmap(r.mem)
	r.mem = nil
	return err
}
