package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// python is a CPython on this machine.
type python struct {
	Path    string  `json:"path"`
	Version string  `json:"version"`
	Score   float64 `json:"calibration_seconds"` // processor time of the best run
	Among   int     `json:"among"`               // how many were tried
}

// describe makes a Python say what it is, behind shims and links.
const describe = `
import json, platform, sys
print(json.dumps([sys.executable, platform.python_version(), platform.python_implementation()]))`

//go:embed calibrate.py
var calibrateSource string

const calibrations = 5

// findPython finds the CPython that is the fastest at what a pool makes it do. It
// is nil when there is none.
func findPython(ctx context.Context) (*python, error) {
	var found []*python
	seen := map[string]bool{}
	for _, path := range candidates() {
		p := identify(ctx, path)
		if p == nil || seen[p.Path] {
			continue
		}
		seen[p.Path] = true
		if _, err := calibrate(ctx, p); err == nil { // a warm-up: it is in memory then
			found = append(found, p)
		}
	}
	for range calibrations { // in turn, so that all meet the same load
		for _, p := range found {
			s, err := calibrate(ctx, p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Path, err)
			}
			if p.Score == 0 || s < p.Score {
				p.Score = s
			}
		}
	}
	if len(found) == 0 {
		return nil, ctx.Err()
	}
	fastest := slices.MinFunc(found, func(a, b *python) int {
		if a.Score < b.Score {
			return -1
		}
		return 1
	})
	fastest.Among = len(found)
	return fastest, ctx.Err()
}

var pythonName = regexp.MustCompile(`^python3(\.\d+)?$`)

// candidates are files that may be a Python 3, with doubles.
func candidates() []string {
	dirs := append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin", "/usr/local/bin")
	roots := []string{os.Getenv("PYENV_ROOT")}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, ".pyenv"))
	}
	for _, root := range roots {
		if root == "" {
			continue
		}
		versions, _ := filepath.Glob(filepath.Join(root, "versions", "*", "bin")) // the pattern is well-formed
		dirs = append(dirs, versions...)
	}
	var paths []string
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if pythonName.MatchString(e.Name()) {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	return paths
}

// identify asks a candidate what it is; nil: no CPython 3.6 or later.
func identify(ctx context.Context, path string) *python {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-c", describe).Output()
	if err != nil {
		return nil // a shim without a version behind it
	}
	var said [3]string
	if json.Unmarshal(out, &said) != nil || said[2] != "CPython" {
		return nil
	}
	real, err := filepath.EvalSymlinks(said[0])
	if err != nil {
		return nil
	}
	return &python{Path: real, Version: said[1]}
}

// calibrate makes one calibration run and returns its time.
func calibrate(ctx context.Context, p *python) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, p.Path, "-c", calibrateSource).Output()
	if err != nil {
		return 0, err
	}
	var s float64
	_, err = fmt.Sscan(strings.TrimSpace(string(out)), &s)
	return s, err
}
