package proctable

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pidNamespace is the inode of this process's pid namespace; 0 if it is unknown.
func pidNamespace() uint64 {
	var s unix.Stat_t
	if unix.Stat("/proc/self/ns/pid", &s) != nil {
		return 0
	}
	return s.Ino
}

// openPIDFD returns a descriptor that refers to a process.
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

// processDead reports whether the process that had a pid has exited, reaped or not. When
// descriptors have run out, a zombie counts as alive.
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

// exited reports whether the process of a pidfd has exited.
func exited(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&unix.POLLIN != 0
}

// exitPollInterval is how often awaitExit looks where the runtime cannot poll a pidfd.
const exitPollInterval = 20 * time.Millisecond

// awaitExit returns when the process of a pidfd has exited, and closes the pidfd. It costs a
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
	for !exited(pidfd) { // the runtime's poller refuses it
		time.Sleep(exitPollInterval)
	}
}

// dupPIDFD closes a file that arrived from another process and returns a duplicate of its
// descriptor.
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

// maxDepth bounds how many generations a descendant may be below its ancestor.
const maxDepth = 64

// descendant returns the pid of the process that a pidfd refers to, and whether it is alive
// and descends from another process, which must be alive.
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

// parentOf is the pid of a process's parent; 0 if it is unknown.
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
