package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Only what a run that is over has left is removed.
func TestSweep(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no parent process to ask for")
	}
	out := filepath.Join(t.TempDir(), "out")
	stays := map[string]bool{
		"index.html.thumbnails-999999999.part":                                  false, // no system has so many processes
		"in/deep/x.png.thumbnails-999999999.part":                               false,
		fmt.Sprintf("in/of an earlier run.png.thumbnails-%d.part", os.Getpid()): false,
		fmt.Sprintf("in/of another run.png.thumbnails-%d.part", os.Getppid()):   true,
		"in/film.1.part":                          true,
		"in/film.part":                            true,
		"in/x.png.thumbnails-999999999.part.jpg":  true,
		"in/x.png.thumbnails-99999999999999.part": true,
		"in/x.png.thumbnails-999999998.part/y":    true,
	}
	for name := range stays {
		path := filepath.Join(out, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sweep(t.Context(), out)
	for name, want := range stays {
		if _, err := os.Lstat(filepath.Join(out, name)); (err == nil) != want {
			t.Errorf("%s: is there: %v, want %v", name, err == nil, want)
		}
	}
	if !tempPattern.MatchString(tempName("x.png")) {
		t.Errorf("%s is not known again", tempName("x.png"))
	}
}
