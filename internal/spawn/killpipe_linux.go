package spawn

import (
	"golang.org/x/sys/unix"
)

// leash is a pipe of which this process holds both ends and which nobody ever writes. Both are set up
// to send SIGKILL to the child's process group when something happens to them, and all that can happen is
// that the other one is closed. So when this process ends, however, or executes another program, the
// kernel kills the group at once: neither a child that is stopped, nor one that spins, nor what such a
// child has started is left.
//
// That is more than a parent-death signal can do: it reaches one process, and is
// deadly for certain only if it leaves nobody to kill the group.
//
// It does not hang on an order: the kernel releases the files of a process that ends in another order
// than those that are closed on exec, but whichever end goes first, the other one is there to tell.
type killPipe struct{ r, w int }

var noKillPipe = killPipe{-1, -1}

func newKillPipe() (killPipe, error) {
	r, w, err := pipe()
	if err != nil {
		return noKillPipe, err
	}
	return killPipe{r, w}, nil
}

// tie sets the ends up once the group exists. Where that is refused the parent-death
// signal and the end of file on the socket must do.
func (l killPipe) arm(pgid int) {
	for _, end := range []int{l.r, l.w} {
		fd := uintptr(end)
		if _, err := unix.FcntlInt(fd, unix.F_SETSIG, int(unix.SIGKILL)); err != nil {
			return // else SIGIO would be sent
		}
		if _, err := unix.FcntlInt(fd, unix.F_SETOWN, -pgid); err != nil {
			return
		}
		unix.FcntlInt(fd, unix.F_SETFL, unix.O_ASYNC)
	}
}

// pull has the kernel kill the group at once, as this process was when it tied the leash: it may
// not be allowed to any more. It says whether that can be.
func (l *killPipe) fire() bool {
	if l.w >= 0 {
		unix.Close(l.w)
		l.w = -1
		return true
	}
	return false
}

// untie lets go of a child that is dead, or never was.
func (l *killPipe) close() {
	if l.r >= 0 {
		unix.Close(l.r) // first, for closing the other one is what it waits for
	}
	if l.w >= 0 {
		unix.Close(l.w)
	}
	*l = noKillPipe
}
