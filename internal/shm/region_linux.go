package shm

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// create makes a memfd whose size can never change.
func create(name string, size int64) (*os.File, error) {
	f, err := createUnsealed(name, size)
	if err != nil {
		return nil, err
	}
	if err := seal(f, seals); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func createUnsealed(name string, size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := unix.Ftruncate(fd, size); err != nil {
		f.Close()
		return nil, os.NewSyscallError("ftruncate", sizeLimit(size, err))
	}
	return f, nil
}

func seal(f *os.File, seals int) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals)
	return os.NewSyscallError("fcntl", err)
}

// sizeLimit adds the limit on the size of files to an error, if a size exceeds it.
func sizeLimit(size int64, err error) error {
	var limit unix.Rlimit
	if err != unix.EFBIG || unix.Getrlimit(unix.RLIMIT_FSIZE, &limit) != nil || limit.Cur >= uint64(size) {
		return err
	}
	return fmt.Errorf("a file of %d bytes, most of them never written, exceeds the limit on the size of files "+
		"(ulimit -f), which is %d bytes: %w", size, limit.Cur, err)
}

// check checks that a descriptor is that of a region with a size, which can never change.
func check(f *os.File, size int64) error {
	have, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	if have&seals != seals {
		return fmt.Errorf("%s is not sealed: the process that made it could shrink it", f.Name())
	}
	return checkSize(f, size)
}
