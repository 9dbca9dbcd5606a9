//go:build unix

package shm

import (
	"errors"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// mapShared maps the first size bytes of a file.
func mapShared(f *os.File, size int) ([]byte, error) {
	return retryMapping(func() ([]byte, error) {
		return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	})
}

// retryMapping calls mmap. A process may have some 65,000 mappings, and an object that was closed
// keeps its mapping until it is garbage, because other goroutines may be using it. So when the
// kernel refuses, retryMapping runs the garbage collector, and tries again for some 20 ms while it
// unmaps what it found.
func retryMapping(mmap func() ([]byte, error)) ([]byte, error) {
	mem, err := mmap()
	if !errors.Is(err, unix.ENOMEM) {
		return mem, err
	}
	runtime.GC() // starts the cleanups, but does not wait for them
	for range 20 {
		if mem, err = mmap(); !errors.Is(err, unix.ENOMEM) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return mem, err
}
