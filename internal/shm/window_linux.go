package shm

import (
	"os"

	"golang.org/x/sys/unix"
)

// MapWindow maps n bytes of the region's file from an offset on, a multiple of the
// page size, which Region itself has not mapped. They are the caller's to unmap.
func (r *Region) MapWindow(offset int64, n int) ([]byte, error) {
	var mem []byte
	err := r.withFile(func(fd int) (err error) {
		mem, err = unix.Mmap(fd, offset, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	})
	return mem, os.NewSyscallError("mmap", err)
}

// UnmapWindow undoes MapWindow.
func UnmapWindow(mem []byte) error { return unix.Munmap(mem) }

// Punch gives the memory of a part of the region's file back; it reads as zero then.
func (r *Region) Punch(offset, n int64) error {
	err := r.withFile(func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, n)
	})
	return os.NewSyscallError("fallocate", err)
}

// Memory is how many bytes of memory the region's file takes at present.
func (r *Region) Memory() (int64, error) {
	var s unix.Stat_t
	if err := r.withFile(func(fd int) error { return unix.Fstat(fd, &s) }); err != nil {
		return 0, os.NewSyscallError("fstat", err)
	}
	return s.Blocks * 512, nil
}
