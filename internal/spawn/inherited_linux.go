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

// reapInherited reaps the children of the program that this process ran before it replaced itself
// by this one (syscall.Exec). Their kill pipes end them then, but they remain children of this
// process. It is called before this process starts anything. Such a child leads a group of its
// own, has a name given by this package, and was killed or ended as it lost its parent.
func reapInherited() {
	pid := os.Getpid()
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", pid))
	if err != nil || len(b) == 0 {
		return // the usual case
	}
	var inherited []int
	for _, word := range strings.Fields(string(b)) {
		if child, err := strconv.Atoi(word); err == nil {
			inherited = append(inherited, child)
		}
	}
	go func() {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			left := false
			for _, child := range inherited {
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

// inheritedChild reports whether a process is a child that an earlier program of this process
// started with this package, and whether it is dead and waits to be reaped.
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
	switch fields[49] { // its status as wait reports it
	case strconv.Itoa(int(syscall.SIGKILL)), strconv.Itoa(exitedOne):
		return true, true
	}
	return false, false
}

// exitedOne is the status of a child that saw the end of its control socket before its kill pipe ended it.
const exitedOne = 1 << 8

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
