//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import "os"

// adoptsOrphans reports whether orphaned descendants become children of this process.
func adoptsOrphans() bool { return os.Getpid() == 1 }

func reapInherited() {}
