package shm

import (
	"os"

	"golang.org/x/sys/unix"
)

// MapWindow maps n bytes of the region's file that the region itself has not mapped. offset must
// be a multiple of the page size. The caller must unmap them with UnmapWindow.
func (r *Region) MapWindow(offset int64, n int) ([]byte, error) {
	var mem []byte
	err := r.withFile(func(fd int) (err error) {
		mem, err = unix.Mmap(fd, offset, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	})
	return mem, os.NewSyscallError("mmap", err)
}

// UnmapWindow ends a mapping that MapWindow made.
func UnmapWindow(mem []byte) error { return unix.Munmap(mem) }

// Punch frees the memory of a part of the region's file, which then reads as zero.
func (r *Region) Punch(offset, n int64) error {
	err := r.withFile(func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, n)
	})
	return os.NewSyscallError("fallocate", err)
}

// Memory is how many bytes of memory the region's file uses now.
func (r *Region) Memory() (int64, error) {
	var s unix.Stat_t
	if err := r.withFile(func(fd int) error { return unix.Fstat(fd, &s) }); err != nil {
		return 0, os.NewSyscallError("fstat", err)
	}
	return s.Blocks * 512, nil
}
