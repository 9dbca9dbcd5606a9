//go:build unix

package inproc

import "golang.org/x/sys/unix"

// checkMemory returns an error if the system would not give size bytes at once. Go's own memory
// comes the same way, but when that is refused the program ends.
func checkMemory(size int) error {
	m, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	return unix.Munmap(m)
}
