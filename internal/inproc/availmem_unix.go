//go:build unix

package inproc

import "golang.org/x/sys/unix"

// hasRoom says whether the system would give so many bytes at once. Go's own memory comes
// the same way, but there it is the end of the program when it does not.
func checkMemory(size int) error {
	m, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	return unix.Munmap(m)
}
