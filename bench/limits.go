package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// limit is what the fastest means at hand needs for the same work: something of Go
// within this process, or a program in C that is built when there is a compiler.
type limit struct {
	name string
	n    int
	what string
	run  func(ctx context.Context, n int) (figures, error) // nil: it is limits/name.c, or one of inEcho
}

// inEcho are the limits that bench/echo makes.
var inEcho = []string{"copy1", "copy64", "copy64k"}

var limits = []limit{
	{"chan11", 5_000_000, "Go channel, 1 goroutine to 1", limitChan11},
	{"chan22", 5_000_000, "Go channel, 2 goroutines to 2", limitChan22},
	{"chan64k", 20_000, "Go channel, copied in and out", limitChan64K},
	{"chantrip", 200_000, "two Go channels", limitChanTrip},
	{"socketpair", 20_000, "C, two processes, socketpair, 1 byte", nil},
	{"robust", 5_000_000, "C, robust mutex in shared memory", nil},
	{"mutex", 20_000_000, "sync.Mutex", limitMutex},
	{"mutexinc", 20_000_000, "sync.Mutex around an increment", limitMutexIncrement},
	{"atomic", 20_000_000, "atomic.Int64.Add", limitAtomic},
	{"conc", 1_000_000, "conc's iter.Map", limitConc},
	{"errgroup", 200_000, "errgroup with SetLimit", limitErrgroup},
	{"chunks", 1_000_000, "chunks of 64, by hand", limitChunks},
	{"pond", 200_000, "pond's Submit and Wait", limitPond},
	{"copy1", 50_000, "a bare server of io.Copy", nil},
	{"copy64", 100_000, "a bare server of io.Copy", nil},
	{"copy64k", 20_000, "a bare server of io.Copy", nil},
}

func findLimit(name string) (limit, error) {
	for _, l := range limits {
		if l.name == name {
			return l, nil
		}
	}
	return limit{}, fmt.Errorf("there is no limit %q", name)
}

// besides are the limits that rows of one measurement stand beside.
func besides(chosen []row, from string) (names []string) {
	for _, r := range chosen {
		if r.from != from {
			continue
		}
		for _, b := range r.beside {
			names = append(names, b.limit)
		}
	}
	return names
}

//go:embed limits/*.c
var cSources embed.FS

// compiler is the path of a C compiler, "" if there is none.
func compiler() string {
	for _, name := range []string{os.Getenv("CC"), "cc", "gcc", "clang"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// build makes the C program of a limit. If it cannot, the limit is missing and the
// tables say why.
func (l *lab) build(ctx context.Context, name string) error {
	if l.cc == "" {
		l.missing[name] = "no C compiler"
		return nil
	}
	source, err := cSources.ReadFile("limits/" + name + ".c")
	if err != nil {
		return err
	}
	path := filepath.Join(l.dir, name+".c")
	if err := os.WriteFile(path, source, 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, l.cc, "-O2", "-pthread", "-o", l.program(name), path).CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s does not build %s.c: %v\n%s", l.cc, name, err, out)
		l.missing[name] = "does not build here"
	}
	return ctx.Err()
}

func (l *lab) program(name string) string { return filepath.Join(l.dir, name+".exe") }

// limit measures a limit in a process of its own; nil: it is missing.
func (l *lab) limit(ctx context.Context, name string) (figures, error) {
	lim, err := findLimit(name)
	if err != nil {
		return nil, err
	}
	if slices.Contains(inEcho, name) {
		return l.inEcho(ctx, name, lim.n)
	}
	if lim.run != nil {
		return figuresOf(ctx, l.self, "-measure", name, "-n", strconv.Itoa(lim.n))
	}
	if l.missing[name] == "" {
		if _, err := os.Stat(l.program(name)); err != nil {
			if err := l.build(ctx, name); err != nil {
				return nil, err
			}
		}
	}
	if l.missing[name] != "" {
		return nil, nil
	}
	return figuresOf(ctx, l.program(name), strconv.Itoa(lim.n))
}
