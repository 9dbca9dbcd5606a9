//go:build linux

package testkit

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Held counts the descriptors and the mappings of shared memory in this process.
func Held(t testing.TB, what string) (descriptors, mappings int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(to, what) {
			descriptors++
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return descriptors, strings.Count(string(maps), what)
}

// ComesTo waits until no more descriptors and mappings are held than these.
func ComesTo(t testing.TB, what string, descriptors, mappings int) {
	t.Helper()
	end := time.Now().Add(Within(time.Second))
	for {
		runtime.GC()
		d, m := Held(t, what)
		if d <= descriptors && m <= mappings {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d descriptors and %d mappings of %s, there should be %d and %d", d, m, what, descriptors, mappings)
		}
		time.Sleep(time.Millisecond)
	}
}
