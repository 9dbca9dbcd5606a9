package spawn

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

var pageSize = int64(os.Getpagesize())

// statm is a child's open /proc/PID/statm, opened on first use. The open file refers to that
// process and not to a later one with the same pid.
type statm struct {
	fd  int
	buf [128]byte // here, so that reading does not allocate
}

var noStatm = statm{fd: -1}

func (s *statm) close() {
	if s.fd >= 0 {
		unix.Close(s.fd)
		s.fd = -1
	}
}

// Memory returns the child's anonymous memory in bytes: resident minus shared.
func (p *Process) Memory() (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return 0, os.ErrProcessDone
	}
	s := &p.statm
	if s.fd < 0 {
		name := "/proc/" + strconv.Itoa(p.pid) + "/statm"
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0, &os.PathError{Op: "open", Path: name, Err: err}
		}
		s.fd = fd
	}
	n, err := unix.Pread(s.fd, s.buf[:], 0)
	if err == unix.ESRCH {
		return 0, os.ErrProcessDone
	}
	if err != nil {
		return 0, os.NewSyscallError("pread", err)
	}
	_, rest := number(s.buf[:n]) // size
	resident, rest := number(rest)
	shared, _ := number(rest)
	return max(resident-shared, 0) * pageSize, nil
}

// number parses a decimal number at the front of b and skips the byte after it.
func number(b []byte) (n int64, rest []byte) {
	for i, c := range b {
		if c < '0' || c > '9' {
			return n, b[i+1:]
		}
		n = n*10 + int64(c-'0')
	}
	return n, nil
}
