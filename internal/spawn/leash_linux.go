package spawn

import (
	"os"

	"golang.org/x/sys/unix"
)

// leash is a pipe of which this process holds both ends and which nobody ever writes. Its
// reading end is set up to send SIGKILL to the child's process group when something
// happens to it, and all that can happen is that the writing end is closed. So when this
// process ends, however, the kernel kills the group at once: neither a child that is
// stopped, nor one that spins, nor what such a child has started is left.
//
// That is more than a parent-death signal can do: it reaches one process, and is
// deadly for certain only if it leaves nobody to kill the group.
//
// It hangs on an order: the writing end must go first. The kernel (since 4.3) releases the
// files of a process that ends in the reverse order of their numbers, so the writing end has
// the higher one. The child must not have a copy of the reading end: it may be dying
// by the parent-death signal, which comes when the forking thread ends and not the last one,
// and would release it too early or too late.
type leash struct{ r, w int }

var noLeash = leash{-1, -1}

func newLeash() (leash, error) {
	r, w, err := pipe()
	if err != nil {
		return noLeash, err
	}
	if w < r { // somebody has closed a file in between
		high, err := unix.FcntlInt(uintptr(w), unix.F_DUPFD_CLOEXEC, r+1)
		unix.Close(w)
		if err != nil {
			unix.Close(r)
			return noLeash, os.NewSyscallError("dup", err)
		}
		w = high
	}
	return leash{r, w}, nil
}

// tie sets the reading end up once the group exists. Where that is refused the parent-death
// signal and the end of file on the socket must do.
func (l leash) tie(pgid int) {
	fd := uintptr(l.r)
	if _, err := unix.FcntlInt(fd, unix.F_SETSIG, int(unix.SIGKILL)); err != nil {
		return // else SIGIO would be sent
	}
	if _, err := unix.FcntlInt(fd, unix.F_SETOWN, -pgid); err != nil {
		return
	}
	unix.FcntlInt(fd, unix.F_SETFL, unix.O_ASYNC)
}

// untie lets go of a child that is dead, or never was.
func (l *leash) untie() {
	if l.r >= 0 {
		unix.Close(l.r) // first, for closing the other one is what it waits for
		unix.Close(l.w)
	}
	*l = noLeash
}
