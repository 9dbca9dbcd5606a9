package spawn

import (
	"os"
	"reflect"
	"runtime"

	"golang.org/x/sys/unix"
)

// adoptsOrphans reports whether orphaned descendants become children of this process.
func adoptsOrphans() bool {
	if os.Getpid() == 1 {
		return true
	}
	subreaper := new(int32)
	err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, reflect.ValueOf(subreaper).Pointer(), 0, 0, 0)
	runtime.KeepAlive(subreaper)
	return err == nil && *subreaper != 0
}
