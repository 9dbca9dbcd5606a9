//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// alone keeps other chats from writing to a file until free is called. They wait for each
// other, because a line that is being written looks like half a line. A file system that
// has no locks goes without.
func alone(file *os.File) (free func()) {
	fd := int(file.Fd())
	for unix.Flock(fd, unix.LOCK_EX) == unix.EINTR {
	}
	return func() { unix.Flock(fd, unix.LOCK_UN) }
}
