//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package spawn

import "os"

// adoptsOrphans says whether the children of children become this process's when their parent dies.
func adoptsOrphans() bool { return os.Getpid() == 1 }

func reapInherited() {}
