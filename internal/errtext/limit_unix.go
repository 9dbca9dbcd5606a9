//go:build unix

package errtext

import (
	"fmt"
	"syscall"
)

// limitOf describes the limit behind an errno.
func limitOf(errno syscall.Errno) string {
	switch errno {
	case syscall.EMFILE:
		return currentLimit("ulimit -n", syscall.RLIMIT_NOFILE) + ": raise it, or let go of what is no longer used (Close; Detach of a Queue)"
	case syscall.EFBIG:
		return "the limit on the size of files, ulimit -f"
	case syscall.ENFILE:
		return "the limit of the whole system, fs.file-max"
	}
	return ""
}

// currentLimit describes a limit with its current value.
func currentLimit(name string, resource int) string {
	var limit syscall.Rlimit
	if syscall.Getrlimit(resource, &limit) != nil {
		return "the limit " + name
	}
	return fmt.Sprintf("the limit %s, which is %d", name, limit.Cur)
}
