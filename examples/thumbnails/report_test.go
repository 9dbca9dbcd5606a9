package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	opts := &options{memory: 1 << 20, timeout: time.Second}
	for want, err := range map[string]error{
		"its worker was killed (signal: killed)":                                   &mp.WorkerDiedError{ExitCode: -9, Signal: syscall.SIGKILL},
		"crashed its worker: exit code 3":                                          &mp.WorkerDiedError{ExitCode: 3},
		"crashed its worker: SIGSEGV: segmentation violation":                      &mp.WorkerDiedError{ExitCode: 2, Reason: "SIGSEGV: segmentation violation"},
		"crashed its worker: SIGABRT: abort":                                       &mp.WorkerDiedError{ExitCode: -6, Signal: syscall.SIGABRT, Reason: "SIGABRT: abort"},
		"took more memory than 1 MiB, its worker was stopped":                      mp.ErrMemory,
		"needed more memory than the machine has left: fatal error: out of memory": &mp.WorkerDiedError{ExitCode: 2, Reason: "fatal error: out of memory"},
		"was not done within 1s":                                                   &mp.TimeoutError{After: time.Second},
		"crashed the decoder: x":                                                   &mp.PanicError{Value: "x"},
	} {
		if got := explain(&mp.TaskError{Func: "thumbnail", Err: err}, opts); got != same(want) {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// gone makes a pipe that nobody reads any more.
func gone() (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return w, r.Close()
}

// A table that cannot be written is an error; one that nobody wants to read is none.
func TestTableIsNotWritten(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("no /dev/full")
	}
	dir := t.TempDir()
	data, err := makeImage(".png", 10, 10)
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(dir, "a.png")
	if err := os.WriteFile(image, data, 0o644); err != nil {
		t.Fatal(err)
	}
	full := func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_WRONLY, 0) }
	for _, tt := range []struct {
		name string
		open func() (*os.File, error)
		code int
		says string
	}{
		{"a full device", full, exitFailed, "cannot write the table: .*no space left on device"},
		{"nobody", gone, exitDone, ""},
	} {
		w, err := tt.open()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		var stderr bytes.Buffer
		if code := program([]string{"-out", filepath.Join(dir, "out"), image}, w, &stderr); code != tt.code {
			t.Errorf("to %s: exit code %d, want %d", tt.name, code, tt.code)
		}
		if !regexp.MustCompile(tt.says).MatchString(stderr.String()) || tt.says == "" && strings.Contains(stderr.String(), "cannot") {
			t.Errorf("to %s: it said %s", tt.name, &stderr)
		}
	}
}

// A file that is there when it is looked for and gone when it is its turn.
func TestVanishes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, err := makeImage(".png", 10, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.png", "b.png", "c.png"} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	opts, err := parseFlags([]string{"-out", filepath.Join(dir, "out"), dir}, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	found := find(t.Context(), opts.paths, opts.out)
	if err := os.Remove(filepath.Join(dir, "b.png")); err != nil {
		t.Fatal(err)
	}
	if code := work(t.Context(), opts, found, &stdout, &stderr); code != exitDone {
		t.Errorf("exit code %d, want %d:\n%s", code, exitDone, &stderr)
	}
	for _, want := range []string{`done +2 of 3 images`, `no such file or folder +\S*b\.png\n`} {
		if !regexp.MustCompile(want).MatchString(stdout.String()) {
			t.Errorf("%q is not in:\n%s", want, &stdout)
		}
	}
}

// The work that ends early is told, whatever the exit code.
func TestEndsEarly(t *testing.T) {
	t.Parallel()
	r := &report{total: 5, done: 2, undone: 3, search: &search{}, run: &run{err: errors.New("broken")}}
	for strict, want := range map[bool]int{false: exitDone, true: exitFailed} {
		r.opts = &options{strict: strict}
		var stderr bytes.Buffer
		if code := r.conclude(&stderr, nil, nil); code != want {
			t.Errorf("strict %v: exit code %d, want %d", strict, code, want)
		}
		if !strings.Contains(stderr.String(), "ended early, 3 of 5 images were not done: broken") {
			t.Errorf("it said %s", &stderr)
		}
	}
}
