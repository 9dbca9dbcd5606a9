package spawn

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// reapFormerLife reaps the children of the program that this process was before it executed this one in
// its place (syscall.Exec): the kernel kills them then, by their leash, but they stay this process's. It
// is called before this process starts anything. A former child is known by leading a group of its own, by
// the name that this package has given it, and by having been killed.
func reapInherited() {
	pid := os.Getpid()
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", pid))
	if err != nil || len(b) == 0 {
		return // which is the usual case
	}
	var former []int
	for _, word := range strings.Fields(string(b)) {
		if child, err := strconv.Atoi(word); err == nil {
			former = append(former, child)
		}
	}
	go func() {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			left := false
			for _, child := range former {
				ours, dead := inheritedChild(child)
				left = left || ours && !dead
				if !ours || !dead {
					continue
				}
				if _, err := syscall.Wait4(child, nil, syscall.WNOHANG, nil); err == nil && adoptsOrphans() {
					go reapOrphans(child)
				}
			}
			if !left {
				return
			}
		}
	}()
}

// formerChild says whether a process is a child that an earlier program of this process started by this
// package, and whether it is dead and waits to be reaped.
func inheritedChild(pid int) (ours, dead bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || len(os.Args) == 0 {
		return false, false
	}
	head, rest, ok := cutLast(string(b), ") ")
	_, comm, _ := strings.Cut(head, " (")
	program, _, titled := strings.Cut(comm, ":")
	fields := strings.Fields(rest)
	if !ok || !titled || program == "" || len(fields) < 50 || !strings.HasPrefix(filepath.Base(os.Args[0]), program) {
		return false, false
	}
	if fields[1] != strconv.Itoa(os.Getpid()) || fields[2] != strconv.Itoa(pid) {
		return false, false
	}
	if fields[0] != "Z" {
		return true, false
	}
	killed := fields[49] == strconv.Itoa(int(syscall.SIGKILL)) // its status, as wait tells it
	return killed, killed
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
