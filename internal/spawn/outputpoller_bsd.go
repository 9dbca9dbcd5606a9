//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const fionread = 0x4004667f // the same on all of these systems; package unix lacks it

// outputPoller checks whether the pipes that a child prints to are readable.
type outputPoller struct{ pipes []syscall.RawConn }

func newOutputPoller(pipes ...*os.File) (*outputPoller, error) {
	o := new(outputPoller)
	for _, p := range pipes {
		raw, err := p.SyscallConn()
		if err != nil {
			return nil, err
		}
		o.pipes = append(o.pipes, raw)
	}
	return o, nil
}

// ready reports whether one of the pipes has data or is closed.
func (o *outputPoller) ready() (found bool) {
	for _, raw := range o.pipes {
		err := raw.Control(func(fd uintptr) {
			n, err := unix.IoctlGetInt(int(fd), fionread)
			found = found || n > 0 || err != nil
		})
		if err != nil {
			return true
		}
	}
	return found
}

func (o *outputPoller) close() {}
