package shm

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A member's life is a lock on one byte of the roster's file, of the kind that belongs
// to an open file description and not to a process. The kernel drops it when
// the last copy of the descriptor is closed, which nobody else has: so it tells of
// the death of any process, child or not, and no reuse of a pid can deceive it.

// reopen opens the file again, so that its locks are apart from those of all other
// descriptors of it.
func reopen(f *os.File) (*os.File, error) {
	again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("what processes share needs /proc: %w", err)
	}
	return again, nil
}

// lockByte takes the lock on a byte; false if somebody has it.
func lockByte(f *os.File, at int) (bool, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(at), Len: 1}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
	if err == unix.EAGAIN || err == unix.EACCES {
		return false, nil
	}
	return err == nil, os.NewSyscallError("fcntl", err)
}

// isLocked says whether another file description has the lock on a byte.
func isLocked(f *os.File, at int) bool {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(at), Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock); err != nil {
		return true // nothing is known of a death
	}
	return lock.Type != unix.F_UNLCK
}
