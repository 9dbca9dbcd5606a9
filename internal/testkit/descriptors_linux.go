package testkit

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

// Descriptors counts the descriptors of this process whose target contains a text, such as "socket:"; with
// "" all.
func Descriptors(target string) (n int) {
	fds, _ := os.ReadDir("/proc/self/fd")
	if target == "" {
		return max(0, len(fds)-1) // without the folder's own
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.Contains(to, target) {
			n++
		}
	}
	return n
}

// DescriptorsSettle waits until this process has no more descriptors than before, and collects garbage
// meanwhile: what was decoded for nobody is closed by it.
func DescriptorsSettle(t testing.TB, before int) {
	t.Helper()
	Until(t, "the descriptors are closed", func() bool {
		runtime.GC()
		return Descriptors("") <= before
	})
}
