package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
)

// tempName is the name of a file while it is written. It says whose it is, so that
// two runs may write into one folder, and a later one knows what was left behind.
func tempName(name string) string {
	return fmt.Sprintf("%s.thumbnails-%d.part", name, os.Getpid())
}

var tempPattern = regexp.MustCompile(`\.thumbnails-([0-9]{1,9})\.part$`)

// sweep removes what runs that were killed have left in the output folder. What it
// cannot remove does no harm.
func sweep(ctx context.Context, dir string) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { // its errors are ours: none
		switch {
		case ctx.Err() != nil:
			return fs.SkipAll
		case err == nil && d.Type().IsRegular() && leftBehind(d.Name()):
			os.Remove(path)
		}
		return nil
	})
}

// leftBehind says whether a file is of a run that is over.
func leftBehind(name string) bool {
	m := tempPattern.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	pid, err := strconv.Atoi(m[1])
	return err == nil && (pid == os.Getpid() || !alive(pid)) // this run has written nothing yet
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
