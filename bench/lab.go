package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed peer.py
var peerSource []byte

// lab makes measurements, each in a process of its own.
type lab struct {
	self string
	py   *python
	dir  string // has the Python program: a spawned worker imports it from a file
}

func newLab(py *python) (*lab, error) {
	l := &lab{py: py}
	var err error
	if l.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if py == nil {
		return l, nil
	}
	if l.dir, err = os.MkdirTemp("", "mp-bench-"); err != nil {
		return nil, err
	}
	if err := os.WriteFile(l.script(), peerSource, 0o600); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) script() string { return filepath.Join(l.dir, "peer.py") }

func (l *lab) close() {
	if l.dir != "" {
		os.RemoveAll(l.dir) // a temporary directory
	}
}

// samples are the figures of one measurement, a pair for each round.
type samples struct{ ours, peer []figures }

// measure makes the measurements that the rows need, mp and Python in turn.
func (l *lab) measure(ctx context.Context, chosen []row, rounds int) (map[string]*samples, error) {
	all := make(map[string]*samples)
	for round := range rounds {
		for _, m := range needed(chosen) {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, m.name)
			s := all[m.name]
			if s == nil {
				s = new(samples)
				all[m.name] = s
			}
			f, err := figuresOf(ctx, l.self, "-measure", m.name, "-n", strconv.Itoa(m.n))
			if err != nil {
				return nil, fmt.Errorf("%s: mp: %w", m.name, err)
			}
			s.ours = append(s.ours, f)
			if l.py == nil {
				continue
			}
			f, err = figuresOf(ctx, l.py.Path, l.script(), m.name, strconv.Itoa(m.peer))
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", m.name, l.py.Path, err)
			}
			s.peer = append(s.peer, f)
		}
	}
	return all, nil
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
