package spawn

import (
	"golang.org/x/sys/unix"
)

// killPipe is a pipe of which this process holds both ends and to which nothing is written. Each
// end is set up to send SIGKILL to the child's process group when its state changes, and the only
// possible change is that the other end is closed. So when this process ends for whatever reason,
// or executes another program, the kernel kills the group at once: a child that is stopped, a
// child that spins, and whatever they have started.
//
// The parent-death signal does less: it reaches one process and leaves the rest of the group
// running.
//
// The order of closing does not matter. The kernel releases the files of an ending process in a
// different order than those closed on exec, but whichever end closes first, the other one still
// reports it.
type killPipe struct{ r, w int }

var noKillPipe = killPipe{-1, -1}

func newKillPipe() (killPipe, error) {
	r, w, err := pipe()
	if err != nil {
		return noKillPipe, err
	}
	return killPipe{r, w}, nil
}

// arm sets up both ends once the group exists. If the kernel refuses, the parent-death signal and
// the end of file on the socket remain.
func (l killPipe) arm(pgid int) {
	for _, end := range []int{l.r, l.w} {
		fd := uintptr(end)
		if _, err := unix.FcntlInt(fd, unix.F_SETSIG, int(unix.SIGKILL)); err != nil {
			return // otherwise the kernel would send SIGIO
		}
		if _, err := unix.FcntlInt(fd, unix.F_SETOWN, -pgid); err != nil {
			return
		}
		unix.FcntlInt(fd, unix.F_SETFL, unix.O_ASYNC)
	}
}

// fire makes the kernel kill the group, with the credentials that this process had when it armed
// the pipe: it may have dropped them since. It reports whether the pipe was still open.
func (l *killPipe) fire() bool {
	if l.w >= 0 {
		unix.Close(l.w)
		l.w = -1
		return true
	}
	return false
}

// close releases the pipe of a child that is dead, or was never started.
func (l *killPipe) close() {
	if l.r >= 0 {
		unix.Close(l.r) // first, because closing the other end fires it
	}
	if l.w >= 0 {
		unix.Close(l.w)
	}
	*l = noKillPipe
}
