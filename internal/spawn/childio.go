//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// childIO is everything that connects a parent and one child. The parent's ends are nonblocking
// files in the netpoller. The child's ends are bare descriptors that this process closes once the
// child has its copies. All are close-on-exec here.
type childIO struct {
	conn           *os.File
	stdout, stderr *os.File
	stdin          *os.File // nil unless Spec.Stdin is copied by this process
	poller         *outputPoller
	crash          *crashPipe
	killPipe       killPipe

	childFDs       []int // in the order in which the child gets them: 0, 1, 2, socket, stderr, crash, Spec.Files
	closeAfterFork []int // those of childFDs that this process closes after the fork
	keepAlive      []*os.File
}

func newChildIO(spec *Spec, joined bool) (pl *childIO, err error) {
	pl = &childIO{killPipe: noKillPipe}
	defer func() {
		if err != nil {
			pl.closeChildEnds()
			pl.closeParentEnds()
		}
	}()
	if err := pl.addStdin(spec.Stdin); err != nil {
		return pl, err
	}
	if err := pl.addOutputs(joined); err != nil {
		return pl, err
	}
	for _, f := range spec.Files {
		if err := pl.addFile(f); err != nil {
			return pl, err
		}
	}
	pl.killPipe, err = newKillPipe()
	return pl, err
}

// addOutputs makes the pipes, the control socket and the crash pipe. If both streams lead to one
// place, the child's stderr is the pipe of its stdout, which preserves the order; the other pipe
// then serves captures.
func (pl *childIO) addOutputs(joined bool) (err error) {
	var w [2]int
	if pl.stdout, w[0], err = outputPipe("stdout"); err != nil {
		return err
	}
	pl.closeAfterFork = append(pl.closeAfterFork, w[0])
	if pl.stderr, w[1], err = outputPipe("stderr"); err != nil {
		return err
	}
	pl.closeAfterFork = append(pl.closeAfterFork, w[1])
	if pl.poller, err = newOutputPoller(pl.stdout, pl.stderr); err != nil {
		return err
	}
	parent, child, err := socketPair()
	if err != nil {
		return err
	}
	pl.closeAfterFork = append(pl.closeAfterFork, child)
	pl.conn = os.NewFile(uintptr(parent), "conn")
	crash, crashW, err := newCrashPipe()
	if err != nil {
		return err
	}
	pl.closeAfterFork = append(pl.closeAfterFork, crashW)
	pl.crash = crash
	stderr := w[1]
	if joined {
		stderr = w[0]
	}
	pl.childFDs = append(pl.childFDs, w[0], stderr, child, w[1], crashW)
	return nil
}

func (pl *childIO) addOwned(fd int) {
	pl.childFDs = append(pl.childFDs, fd)
	pl.closeAfterFork = append(pl.closeAfterFork, fd)
}

// addFile passes a file of the caller to the child.
func (pl *childIO) addFile(f *os.File) error {
	if f == nil {
		return os.ErrInvalid
	}
	fd := int(f.Fd())
	if fd < 0 {
		return os.ErrClosed
	}
	pl.childFDs = append(pl.childFDs, fd)
	pl.keepAlive = append(pl.keepAlive, f)
	return nil
}

// outputPipe makes a pipe that the child writes to.
func outputPipe(name string) (*os.File, int, error) {
	r, w, err := pipe()
	if err != nil {
		return nil, -1, err
	}
	if err := unix.SetNonblock(r, true); err != nil {
		unix.Close(r)
		unix.Close(w)
		return nil, -1, os.NewSyscallError("setnonblock", err)
	}
	return os.NewFile(uintptr(r), name), w, nil
}

func (pl *childIO) addStdin(in io.Reader) error {
	switch in := in.(type) {
	case nil:
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: os.DevNull, Err: err}
		}
		pl.addOwned(fd)
	case *os.File:
		return pl.addFile(in)
	default:
		r, w, err := pipe()
		if err != nil {
			return err
		}
		pl.addOwned(r)
		if err := unix.SetNonblock(w, true); err != nil {
			unix.Close(w)
			return os.NewSyscallError("setnonblock", err)
		}
		pl.stdin = os.NewFile(uintptr(w), "stdin")
	}
	return nil
}

func (pl *childIO) childFiles() []uintptr {
	fds := make([]uintptr, len(pl.childFDs))
	for i, fd := range pl.childFDs {
		fds[i] = uintptr(fd)
	}
	return fds
}

func (pl *childIO) closeChildEnds() {
	for _, fd := range pl.closeAfterFork {
		unix.Close(fd)
	}
	pl.closeAfterFork, pl.childFDs, pl.keepAlive = nil, nil, nil
}

func (pl *childIO) closeParentEnds() {
	for _, f := range []*os.File{pl.conn, pl.stdout, pl.stderr, pl.stdin} {
		if f != nil {
			f.Close()
		}
	}
	if pl.poller != nil {
		pl.poller.close()
	}
	if pl.crash != nil {
		pl.crash.close()
	}
	pl.killPipe.close()
}

// copyStdin copies from a reader to the child until either ends. An error of the reader has
// nobody to be reported to: the child sees the end of its input.
func (pl *childIO) copyStdin(in io.Reader) {
	defer pl.stdin.Close()
	defer func() { _ = recover() }() // a panic of the reader on this goroutine would end the program
	io.Copy(pl.stdin, in)
}
