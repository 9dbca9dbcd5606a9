package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gomultiprocessing/mp/examples/internal/leftover"
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
		case err == nil && d.Type().IsRegular() && leftover.Is(d.Name(), tempPattern):
			os.Remove(path)
		}
		return nil
	})
}
