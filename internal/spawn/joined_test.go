//go:build linux

package spawn_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/gomultiprocessing/mp/internal/spawn"
)

func init() {
	helpers["in turns"] = func(s *spawn.Self) {
		for i := range 500 {
			fmt.Fprintln(os.Stdout, "out", i)
			fmt.Fprintln(os.Stderr, "err", i)
		}
	}
	helpers["captures in turns"] = func(s *spawn.Self) {
		for i := range 3 {
			fmt.Fprintln(os.Stdout, "out", i)
			check(s.BeginCapture(uint64(i), 1000))
			fmt.Fprintln(os.Stdout, "captured out", i)
			fmt.Fprintln(os.Stderr, "captured err", i)
			check(s.EndCapture(uint64(i)))
			fmt.Fprintln(os.Stderr, "err", i)
		}
	}
	helpers["own stderr"] = func(s *spawn.Self) { // the program has redirected its stderr itself
		f, err := os.Create(os.Getenv("OWN_STDERR"))
		check(err)
		check(syscall.Dup3(int(f.Fd()), 2, 0))
		check(s.BeginCapture(1, 1000))
		fmt.Fprintln(os.Stderr, "inside")
		check(s.EndCapture(1))
		fmt.Fprintln(os.Stderr, "outside")
	}
	helpers["prints, panics"] = func(s *spawn.Self) {
		fmt.Println("panic: not at all")
		fmt.Println("before")
		panic("at last")
	}
	helpers["prints, fatal"] = func(s *spawn.Self) {
		fmt.Println("SIGNAL of stdout")
		var m = map[int]int{}
		for range 8 {
			go func() {
				for {
					m[1]++
				}
			}()
		}
		select {}
	}
	helpers["prints, killed"] = func(s *spawn.Self) {
		fmt.Println("SIGNAL of stdout")
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func TestStreamsToOnePlaceAreInOrder(t *testing.T) {
	tidy(t)
	want := ""
	for i := range 500 {
		want += fmt.Sprintf("out %d\nerr %d\n", i, i)
	}
	var out buffer
	k := start(t, spawn.Spec{Name: "in turns", Stdout: &out, Stderr: &out})
	k.wait()
	if out.String() != want {
		t.Errorf("one writer: %.100q", out.String())
	}
	name := t.TempDir() + "/file" // two files of the same name
	var files []*os.File
	for range 2 {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	k = start(t, spawn.Spec{Name: "in turns", Stdout: files[0], Stderr: files[1]})
	k.wait()
	if got, _ := os.ReadFile(name); string(got) != want {
		t.Errorf("one file: %.100q", got)
	}
}

func TestCaptureKeepsJoinedStreamsApart(t *testing.T) {
	tidy(t)
	var out buffer
	k := start(t, spawn.Spec{Name: "captures in turns", Stdout: &out, Stderr: &out})
	k.wait()
	if want := "out 0\nerr 0\nout 1\nerr 1\nout 2\nerr 2\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
	for i := range 3 {
		stdout, stderr, ok := k.TakeCapture(uint64(i), 0)
		if string(stdout) != fmt.Sprintln("captured out", i) || string(stderr) != fmt.Sprintln("captured err", i) || !ok {
			t.Errorf("%q, %q, %v", stdout, stderr, ok)
		}
	}
}

func TestCaptureLeavesAnotherStderr(t *testing.T) {
	tidy(t)
	name := t.TempDir() + "/stderr"
	var out buffer
	k := start(t, spawn.Spec{Name: "own stderr", Env: append(os.Environ(), "OWN_STDERR="+name), Stdout: &out, Stderr: &out})
	k.wait()
	if got, _ := os.ReadFile(name); string(got) != "inside\noutside\n" {
		t.Errorf("%q", got)
	}
}

// What is printed to stdout is never a reason, even if stderr shares the pipe.
func TestReasonsOfJoinedStreams(t *testing.T) {
	for what, want := range map[string]string{
		"prints, panics": "panic: at last", "prints, fatal": "fatal error: ", "prints, killed": "",
		"prints, panics/crash": "panic: at last", "prints, fatal/crash": "fatal error: ",
	} {
		t.Run(what, func(t *testing.T) {
			tidy(t)
			name, mode, _ := strings.Cut(what, "/")
			var out buffer
			k := start(t, spawn.Spec{Name: name, Env: append(os.Environ(), "GOTRACEBACK="+mode), Stdout: &out, Stderr: &out})
			e := k.wait()
			if want == "" && e.Reason != "" || !strings.HasPrefix(e.Reason, want) {
				t.Errorf("reason %q, want %q", e.Reason, want)
			}
			if want != "" && (!strings.HasPrefix(e.Stderr, e.Reason) || !strings.Contains(e.Stderr, "goroutine ")) {
				t.Errorf("stderr: %q", e.Stderr)
			}
			if want == "" && !strings.Contains(e.Stderr, "SIGNAL") {
				t.Errorf("last words: %q", e.Stderr)
			}
			if want != "" && !strings.Contains(out.String(), e.Reason) {
				t.Errorf("passed on: %q", out.String())
			}
		})
	}
}

func TestQuietCrash(t *testing.T) {
	for _, joined := range []bool{false, true} {
		t.Run(fmt.Sprint(joined), func(t *testing.T) {
			tidy(t)
			var out, errOut buffer
			spec := spawn.Spec{Name: "prints, panics", Stdout: &out, Stderr: &errOut, QuietCrash: true}
			if joined {
				spec.Stderr = &out
			}
			k := start(t, spec)
			if e := k.wait(); e.Reason != "panic: at last" || !strings.Contains(e.Stderr, "goroutine 1") {
				t.Errorf("%+v", e)
			}
			if got := out.String() + errOut.String(); got != "panic: not at all\nbefore\n" {
				t.Errorf("passed on: %q", got)
			}
		})
	}
}
