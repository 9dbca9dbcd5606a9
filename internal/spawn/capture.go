//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// BeginCapture makes the parent keep what this process prints from here on, under an id that
// is used once, instead of passing it on: of each stream the last max bytes. The mark
// goes the way of the output itself, so what was printed before is before it.
func (s *Self) BeginCapture(id uint64, max int) error {
	err := s.writeMarkers(kindBegin, id, clampCapture(max), s.outputs[:])
	if s.joined {
		err = errors.Join(err, s.stderrSplit.begin(s.outputs))
	}
	return err
}

func clampCapture(n int) int { return min(max(n, 0), maxCapture) }

// EndCapture ends it.
func (s *Self) EndCapture(id uint64) error {
	var err error
	if s.joined {
		err = s.stderrSplit.end(s.outputs)
	}
	return errors.Join(err, s.writeMarkers(kindEnd, id, 0, s.outputs[:]))
}

// BeginTask says in the streams that a task begins, for the labels of its lines.
func (s *Self) BeginTask(batch uint64, item int) error {
	return s.writeMarkers(kindTask, batch, item, s.outputs[:])
}

// writeMarks writes a mark into pipes.
func (s *Self) writeMarkers(kind byte, id uint64, max int, pipes []int) error {
	b := streamMarker(s.nonce, kind, id, max)
	var errs [2]error
	for i, fd := range pipes {
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

// moves takes stderr out of the pipe of stdout while captures are open: a capture has the two
// apart. A stderr that the program itself has moved is left where it is.
type stderrSplit struct {
	mu   sync.Mutex
	open int // captures
}

func (m *stderrSplit) begin(pipes [2]int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open++; m.open > 1 || !samePipe(2, pipes[0]) {
		return nil
	}
	return os.NewSyscallError("dup", dup(pipes[1], 2))
}

func (m *stderrSplit) end(pipes [2]int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open = max(0, m.open-1)
	if m.open > 0 || !samePipe(2, pipes[1]) {
		return nil
	}
	return os.NewSyscallError("dup", dup(pipes[0], 2))
}

func samePipe(a, b int) bool {
	var x, y unix.Stat_t
	return unix.Fstat(a, &x) == nil && unix.Fstat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

// TakeCapture returns and forgets what the child printed between BeginCapture and
// EndCapture. It waits until all of it has come, or the child's output is over, or the
// wait is; in the last case it returns what there is. ok is false if there is none,
// also because the capture was dropped: the last 64 that nobody took are kept.
func (p *Process) TakeCapture(id uint64, wait time.Duration) (stdout, stderr []byte, ok bool) {
	return p.captures.take(id, wait)
}
