package shm

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// NewSingleWriter makes a region that only this process can write, and returns a descriptor
// by which others can map it read-only; the region itself has none. A seal refuses further
// writable mappings, writes and holes through any descriptor of the same memory. Kernels
// before 5.1 lack the seal: there a process that opens the descriptor again can write.
func NewSingleWriter(name string, size int) (*os.File, *Region, error) {
	f, err := createUnsealed(name, int64(size))
	if err != nil {
		return nil, nil, err
	}
	region, err := mapOnly(f, size, unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	err = seal(f, seals|unix.F_SEAL_FUTURE_WRITE)
	if errors.Is(err, unix.EINVAL) {
		err = seal(f, seals)
	}
	if err != nil {
		region.Unmap()
		f.Close()
		return nil, nil, err
	}
	return f, region, nil
}

// OpenReadOnly maps a region read-only that another process made with NewSingleWriter. It
// leaves the descriptor to the caller: end the mapping with Unmap.
func OpenReadOnly(f *os.File, size int) (*Region, error) {
	if err := check(f, int64(size)); err != nil {
		return nil, err
	}
	return mapOnly(f, size, unix.PROT_READ)
}

// mapOnly maps a file and leaves its descriptor to the caller.
func mapOnly(f *os.File, size, prot int) (*Region, error) {
	mem, err := unix.Mmap(int(f.Fd()), 0, size, prot, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes: %w", size, err)
	}
	return &Region{mem: mem}, nil
}
