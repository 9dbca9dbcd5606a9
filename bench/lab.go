package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed peer*.py
var peerSources embed.FS

// lab makes measurements, each in a process of its own.
type lab struct {
	self    string
	py      *python
	cc      string            // a C compiler, or ""
	missing map[string]string // why there is no C program of a limit
	dir     string            // has the Python program: a spawned worker imports it from a file
}

func newLab(py *python) (*lab, error) {
	l := &lab{py: py, cc: compiler(), missing: make(map[string]string)}
	var err error
	if l.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if l.dir, err = os.MkdirTemp("", "mp-bench-"); err != nil {
		return nil, err
	}
	if err := os.CopyFS(l.dir, peerSources); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) script() string { return filepath.Join(l.dir, "peer.py") }

func (l *lab) close() { os.RemoveAll(l.dir) } // a temporary directory

// samples are the figures of one measurement, one of each side for each round.
type samples struct {
	ours, peer []figures
	limits     map[string][]figures
}

// results are what a lab has measured.
type results struct {
	of      map[string]*samples
	missing map[string]string // why there is no figure of a limit
}

// measure makes the measurements that the rows need: mp, Python and the limits in turn.
func (l *lab) measure(ctx context.Context, chosen []row, rounds int) (*results, error) {
	all := make(map[string]*samples)
	for round := range rounds {
		for _, m := range needed(chosen) {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, m.name)
			s := all[m.name]
			if s == nil {
				s = &samples{limits: make(map[string][]figures)}
				all[m.name] = s
			}
			if err := l.round(ctx, m, s, besides(chosen, m.name)); err != nil {
				return nil, err
			}
		}
	}
	return &results{all, l.missing}, nil
}

// round makes one measurement once, and those of the limits that it stands beside.
func (l *lab) round(ctx context.Context, m measurement, s *samples, limits []string) error {
	f, err := l.ours(ctx, m)
	if err != nil {
		return fmt.Errorf("%s: mp: %w", m.name, err)
	}
	s.ours = append(s.ours, f)
	if l.py != nil && m.peer > 0 {
		f, err := figuresOf(ctx, l.py.Path, l.script(), m.name, strconv.Itoa(m.peer))
		if err != nil {
			return fmt.Errorf("%s: %s: %w", m.name, l.py.Path, err)
		}
		s.peer = append(s.peer, f)
	}
	for _, name := range limits {
		f, err := l.limit(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", m.name, name, err)
		}
		if f != nil {
			s.limits[name] = append(s.limits[name], f)
		}
	}
	return nil
}

func (l *lab) ours(ctx context.Context, m measurement) (figures, error) {
	if m.ours == nil {
		return l.inEcho(ctx, m.name, m.n)
	}
	return figuresOf(ctx, l.self, "-measure", m.name, "-n", strconv.Itoa(m.n))
}

// inEcho makes a measurement of bench/echo, a program of its own, because it needs package net: that
// would cost each worker of this one a millisecond at its start.
func (l *lab) inEcho(ctx context.Context, name string, n int) (figures, error) {
	path := filepath.Join(l.dir, "echo.exe")
	if _, err := os.Stat(path); err != nil {
		const source = "github.com/gomultiprocessing/mp/bench/echo"
		out, err := exec.CommandContext(ctx, "go", "build", "-o", path, source).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s does not build; run bench by go, within its module: %w\n%s", source, err, out)
		}
	}
	return figuresOf(ctx, path, "-measure", name, "-n", strconv.Itoa(n))
}

// figuresOf runs a program that prints figures.
func figuresOf(ctx context.Context, name string, args ...string) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = time.Second
	inGroup(cmd)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var f figures
	if err := json.Unmarshal(out, &f); err != nil {
		return nil, fmt.Errorf("it printed %q: %w", out, err)
	}
	return f, nil
}
