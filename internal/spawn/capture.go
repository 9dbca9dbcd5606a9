//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// BeginCapture makes the parent keep what this process prints from now on, instead of writing it
// to Spec.Stdout and Spec.Stderr: of each stream the last max bytes. An id is used once. The
// marker travels in the output itself, so it separates what was printed before from what is
// printed after.
func (s *Self) BeginCapture(id uint64, max int) error {
	err := s.writeMarkers(kindBegin, id, clampCapture(max), s.outputs[:])
	if s.joined {
		err = errors.Join(err, s.stderrSplit.begin(s.outputs))
	}
	return err
}

func clampCapture(n int) int { return min(max(n, 0), maxCapture) }

// EndCapture ends the capture.
func (s *Self) EndCapture(id uint64) error {
	var err error
	if s.joined {
		err = s.stderrSplit.end(s.outputs)
	}
	return errors.Join(err, s.writeMarkers(kindEnd, id, 0, s.outputs[:]))
}

// BeginTask tells the parent, in the streams, that a task begins. The labels of the following
// lines name it.
func (s *Self) BeginTask(batch uint64, item int) error {
	return s.writeMarkers(kindTask, batch, item, s.outputs[:])
}

// writeMarkers writes a marker into each pipe.
func (s *Self) writeMarkers(kind byte, id uint64, max int, pipes []int) error {
	b := streamMarker(s.nonce, kind, id, max)
	var errs [2]error
	for i, fd := range pipes {
		n, err := unix.Write(fd, b)
		for err == unix.EINTR {
			n, err = unix.Write(fd, b)
		}
		if err == nil && n < len(b) {
			err = unix.EIO // cannot happen: a pipe writes so few bytes atomically
		}
		errs[i] = os.NewSyscallError("write", err)
	}
	return errors.Join(errs[0], errs[1])
}

// stderrSplit moves stderr out of the pipe it shares with stdout while captures are open, because
// a capture keeps the two streams apart. It does not touch a stderr that the program itself has
// redirected.
type stderrSplit struct {
	mu   sync.Mutex
	open int // number of open captures
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

// TakeCapture returns and forgets what the child printed between BeginCapture and EndCapture. It
// waits until the capture is complete, the output has ended, or wait is over; in the last case it
// returns what has arrived. ok is false if there is no such capture, perhaps because it was
// dropped: only the 64 newest are kept.
func (p *Process) TakeCapture(id uint64, wait time.Duration) (stdout, stderr []byte, ok bool) {
	return p.captures.take(id, wait)
}
