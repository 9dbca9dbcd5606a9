package shm

import (
	"os"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Supported returns nil: processes can share memory on Linux.
func Supported() error { return nil }

// NewSparse makes a region whose file has size bytes, of which the first mapped bytes are
// mapped. It uses memory only for pages that were written.
func NewSparse(name string, mapped int, size int64) (*Region, error) {
	f, err := create(name, size)
	if err != nil {
		return nil, errtext.Errorf("mp: shared memory: %w", err)
	}
	return mapFile(f, mapped)
}

// OpenSparse maps a region that another process made with NewSparse. It takes over the
// descriptor, and closes it when it fails.
func OpenSparse(f *os.File, mapped int, size int64) (*Region, error) {
	if err := check(f, size); err != nil {
		f.Close()
		return nil, errtext.Errorf("mp: shared memory: %w", err)
	}
	return mapFile(f, mapped)
}
