// Package leftover tells the files that a killed run of a program has left from those of
// one that is still at work. The name of such a file holds the number of its process.
package leftover

import (
	"errors"
	"os"
	"regexp"
	"strconv"
	"syscall"
)

// Is says whether a name is that of a file that a run which is over has left. The first
// group of the pattern is the number of the process. To be asked before this run makes
// files itself: those with its number are of an earlier one, as they are in containers,
// where all runs may have the same.
func Is(name string, pattern *regexp.Regexp) bool {
	m := pattern.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	pid, err := strconv.Atoi(m[1])
	return err == nil && (pid == os.Getpid() || !alive(pid))
}

// alive says whether there is a process of that number.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	return !errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
