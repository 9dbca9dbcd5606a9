//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import (
	"os"
	"syscall"
)

// fileIdentity is equal for all descriptors of one file, pipe or terminal.
type fileIdentity struct{ device, inode uint64 }

func fileID(f *os.File) (id fileIdentity, ok bool) {
	info, err := f.Stat()
	if err != nil {
		return id, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return id, false
	}
	return fileIdentity{uint64(stat.Dev), uint64(stat.Ino)}, true
}
