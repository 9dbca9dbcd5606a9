//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// BeginCapture makes the parent keep what this process prints from here on, under an id that
// is used once, instead of passing it on: of each stream the last max bytes. The mark
// goes the way of the output itself, so what was printed before is before it.
func (s *Self) BeginCapture(id uint64, max int) error {
	return s.writeMark(kindBegin, id, bounded(max))
}

func bounded(n int) int { return min(max(n, 0), maxCapture) }

// EndCapture ends it.
func (s *Self) EndCapture(id uint64) error { return s.writeMark(kindEnd, id, 0) }

func (s *Self) writeMark(kind byte, id uint64, max int) error {
	b := streamMark(s.nonce, kind, id, max)
	var errs [2]error
	for i, fd := range s.outputs {
		n, err := unix.Write(fd, b)
		for err == unix.EINTR {
			n, err = unix.Write(fd, b)
		}
		if err == nil && n < len(b) {
			err = unix.EIO // cannot be: a pipe takes so little whole or not at all
		}
		errs[i] = os.NewSyscallError("write", err)
	}
	return errors.Join(errs[0], errs[1])
}

// TakeCapture returns and forgets what the child printed between BeginCapture and
// EndCapture. It waits until all of it has come, or the child's output is over, or the
// wait is; in the last case it returns what there is. ok is false if there is none,
// also because the capture was dropped: the last 64 that nobody took are kept.
func (p *Process) TakeCapture(id uint64, wait time.Duration) (stdout, stderr []byte, ok bool) {
	return p.captures.take(id, wait)
}
