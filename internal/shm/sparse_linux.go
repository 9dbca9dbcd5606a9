package shm

import (
	"os"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Supported is why processes share nothing here; nil, as they do.
func Supported() error { return nil }

// newSparse makes a region with a file of size bytes, of which the first mapped bytes
// are mapped. Memory is taken only for what is written.
func newSparse(name string, mapped int, size int64) (*Region, error) {
	f, err := create(name, size)
	if err != nil {
		return nil, errtext.Errorf("mp: shared memory: %w", err)
	}
	return mapFile(f, mapped)
}

// openSparse maps what newSparse made in another process.
func openSparse(f *os.File, mapped int, size int64) (*Region, error) {
	if err := check(f, size); err != nil {
		f.Close()
		return nil, errtext.Errorf("mp: shared memory: %w", err)
	}
	return mapFile(f, mapped)
}
