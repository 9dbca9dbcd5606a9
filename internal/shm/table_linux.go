package shm

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// createTable makes the memory of the process table: this process has it mapped for writing,
// and nobody will again, by whatever descriptor: the seal refuses mappings, writes, and holes. Kernels
// before 5.1 lack it; there, who opens the descriptor anew can write.
func createTable() (*os.File, *Region, error) {
	f, err := createUnsealed("mp-processes", tableSize)
	if err != nil {
		return nil, nil, err
	}
	region, err := mapShared(f, tableSize)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	err = seal(f, seals|unix.F_SEAL_FUTURE_WRITE)
	if errors.Is(err, unix.EINVAL) {
		err = seal(f, seals)
	}
	if err != nil {
		region.unmap()
		f.Close()
		return nil, nil, err
	}
	return f, region, nil
}

// mapForReading maps a file and leaves its descriptor to the caller.
func mapForReading(f *os.File, size int) (*Region, error) {
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes: %w", size, err)
	}
	return &Region{mem: mem}, nil
}

// pidNamespace is in which pids of this process mean what they mean.
func pidNamespace() uint64 {
	var s unix.Stat_t
	if unix.Stat("/proc/self/ns/pid", &s) != nil {
		return 0
	}
	return s.Ino
}

// openPIDFD is a descriptor that stands for a process.
func openPIDFD(pid int) (*os.File, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err == unix.EINVAL { // before Linux 5.10
		if fd, err = unix.PidfdOpen(pid, 0); err == nil {
			err = unix.SetNonblock(fd, true)
		}
	}
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// isDead says whether the process that had this pid has ended, reaped or not. When it
// cannot be known, as where descriptors have run out, one that still exists lives.
func processDead(pid int) bool {
	if pid <= 0 {
		return false
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return true
	}
	if err != nil {
		return unix.Kill(pid, 0) == unix.ESRCH
	}
	defer unix.Close(fd)
	return exited(fd)
}

// ended says whether the process of a pidfd has.
func exited(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&unix.POLLIN != 0
}

// awaitDeath returns when the process of the pidfd has ended, and closes it. It costs a
// parked goroutine and no thread.
func awaitExit(pidfd int) {
	if unix.SetNonblock(pidfd, true) == nil {
		f := os.NewFile(uintptr(pidfd), "pidfd")
		defer f.Close()
		raw, err := f.SyscallConn()
		if err == nil && f.SetReadDeadline(time.Time{}) == nil &&
			raw.Read(func(fd uintptr) bool { return exited(int(fd)) }) == nil {
			return
		}
	} else {
		defer unix.Close(pidfd)
	}
	for !exited(pidfd) { // the poller does not take it
		time.Sleep(probeInterval)
	}
}

// takePIDFD takes the descriptor out of a file that has come from another process.
func dupPIDFD(f *os.File) (fd int, err error) {
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	dup := func(from uintptr) { fd, err = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0) }
	if failed := raw.Control(dup); failed != nil {
		return -1, failed
	}
	return fd, os.NewSyscallError("dup", err)
}

func closePIDFD(fd int) { unix.Close(fd) }

// maxLine bounds how far one process may be below another that both belong to a program.
const maxDepth = 64

// descendant is the pid of the process that a pidfd stands for, and whether it lives and
// descends from another, which lives.
func descendant(pidfd, ancestor int) (pid int, ok bool) {
	text, err := os.ReadFile(fmt.Sprint("/proc/self/fdinfo/", pidfd))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "Pid:"); found {
			pid, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	at := pid
	for range maxDepth {
		if at <= 1 {
			return 0, false
		}
		if at = parentOf(at); at == ancestor {
			return pid, !exited(pidfd)
		}
	}
	return 0, false
}

// parentOf is the pid of a process's parent; 0 if that is not known.
func parentOf(pid int) int {
	text, err := os.ReadFile(fmt.Sprint("/proc/", pid, "/stat"))
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}
