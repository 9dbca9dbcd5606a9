//go:build linux

package process_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

func launchLong(t *testing.T) {
	t.Helper()
	if os.Getenv("MP_LONG") == "" {
		t.Skip("takes long: set MP_LONG=1")
	}
}

func launchOK(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out := testkit.Output(t, cmd); out != "ok\n" {
		t.Errorf("%q", out)
	}
}

func TestLaunchAbsolute(t *testing.T) {
	t.Parallel()
	launchOK(t, testkit.Command(t, testkit.Build(t, "prog", nil), "plain", "-x", "", "a b"))
}

func TestLaunchRelative(t *testing.T) {
	t.Parallel()
	exe := testkit.Build(t, "prog", nil)
	for _, mode := range []string{"plain", "chdir"} {
		cmd := testkit.Command(t, "./"+filepath.Base(exe), mode)
		cmd.Dir = filepath.Dir(exe)
		launchOK(t, cmd)
	}
}

func TestLaunchSymlink(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(testkit.Build(t, "prog", nil), link); err != nil {
		t.Fatal(err)
	}
	launchOK(t, testkit.Command(t, link, "plain"))
}

func TestLaunchFromPath(t *testing.T) {
	exe := testkit.Build(t, "prog", nil)
	t.Setenv("PATH", filepath.Dir(exe))
	launchOK(t, testkit.Command(t, filepath.Base(exe), "plain"))
}

// TestLaunchFileGone: the file was replaced or deleted while the program ran.
func TestLaunchFileGone(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(testkit.Build(t, "prog", nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"delete", "replace"} {
		exe := filepath.Join(t.TempDir(), mode)
		if err := os.WriteFile(exe, b, 0o755); err != nil {
			t.Fatal(err)
		}
		// Another test may be forking just now, with the file still open for writing.
		for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			out, err := testkit.Command(t, exe, mode).CombinedOutput()
			if err != nil && strings.Contains(err.Error(), "text file busy") && time.Now().Before(end) {
				continue
			}
			if err != nil || string(out) != "ok\n" {
				t.Errorf("%s: %v %q", mode, err, out)
			}
			break
		}
	}
}

func TestLaunchGoRun(t *testing.T) {
	t.Parallel()
	testkit.NeedGo(t)
	launchOK(t, testkit.Command(t, "go", "run", "../testdata/prog", "plain", "arg"))
}

func TestLaunchWithoutCgo(t *testing.T) {
	t.Parallel()
	launchOK(t, testkit.Command(t, testkit.Build(t, "prog", []string{"CGO_ENABLED=0"}), "plain"))
}

func TestLaunchRace(t *testing.T) {
	t.Parallel()
	launchLong(t)
	launchOK(t, testkit.Command(t, testkit.Build(t, "prog", nil, "-race"), "plain"))
}

// TestLaunchCover: the child writes its counters as main does.
func TestLaunchCover(t *testing.T) {
	t.Parallel()
	exe := testkit.Build(t, "prog", nil, "-cover", "-coverpkg=../testdata/prog")
	dir := t.TempDir()
	cmd := testkit.Command(t, exe, "plain")
	cmd.Env = append(os.Environ(), "GOCOVERDIR="+dir)
	launchOK(t, cmd)
	counters, err := filepath.Glob(filepath.Join(dir, "covcounters.*"))
	if len(counters) != 2 {
		t.Errorf("%q %v", counters, err)
	}
}

func TestLaunchGoTest(t *testing.T) {
	t.Parallel()
	testkit.NeedGo(t)
	testkit.Output(t, testkit.Command(t, "go", "test", "-count=1", "../testdata/suite"))
}

func TestLaunchGoTestCover(t *testing.T) {
	t.Parallel()
	testkit.NeedGo(t)
	launchLong(t)
	profile := filepath.Join(t.TempDir(), "profile")
	out := testkit.Output(t, testkit.Command(t, "go", "test", "-count=1", "-cover", "-coverpkg=github.com/gomultiprocessing/mp/internal/proc/child", "-coverprofile="+profile, "../testdata/suite"))
	b, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	served := false
	for l := range strings.Lines(string(b)) { // only a child comes to once.go
		served = served || strings.Contains(l, "once.go") && !strings.HasSuffix(l, " 0\n")
	}
	if !served {
		t.Errorf("what the child did was not counted: %s", out)
	}
}

func TestLaunchGoTestFuzz(t *testing.T) {
	t.Parallel()
	testkit.NeedGo(t)
	launchLong(t)
	testkit.Output(t, testkit.Command(t, "go", "test", "-run=^$", "-fuzz=FuzzCall", "-fuzztime=20x", "-parallel=2", "../testdata/suite"))
}

func TestLaunchGoTestRace(t *testing.T) {
	t.Parallel()
	testkit.NeedGo(t)
	launchLong(t)
	testkit.Output(t, testkit.Command(t, "go", "test", "-count=1", "-race", "../testdata/suite"))
}

// TestLaunchBeforeMain: an error within a second, and no process.
func TestLaunchBeforeMain(t *testing.T) {
	testkit.Beside(t)
	exe := testkit.Build(t, "prog", nil)
	for mode, lines := range map[string]int{"forget": 3, "init": 1, "variable": 1} {
		begin := time.Now()
		out := testkit.Output(t, testkit.Command(t, exe, mode))
		if want := strings.Repeat("true mp: Main was not entered: call mp.Main first thing in main, or in TestMain\n", lines); out != want {
			t.Errorf("%s: %q", mode, out)
		}
		if took := time.Since(begin); took > testkit.Within(time.Second) {
			t.Errorf("%s: took %v", mode, took)
		}
	}
}

func TestLaunchBadRegistration(t *testing.T) {
	t.Parallel()
	exe := testkit.Build(t, "prog", nil)
	for mode, says := range map[string]string{
		"twice":                `mp: Register("act"): the name is taken, at prog/main.go:`,
		"empty":                "mp: Register: the name is empty",
		"nil":                  `mp: Register("nil"): the function is nil`,
		"late":                 `mp: Register("late") after Main: other processes would not know it; register in a package variable`,
		"error twice":          `mp: RegisterError("a"): another error is registered as "a" already, at prog/main.go:`,
		"error again":          `mp: RegisterError("b"): the error is registered as "a" already, at prog/main.go:`,
		"error nil":            `mp: RegisterError("a"): <nil> is not an error that can be compared: use one of errors.New, or RegisterErrorType`,
		"error uncomparable":   `mp: RegisterError("a"): uncomparable is not an error that can be compared: use one of errors.New, or RegisterErrorType`,
		"error known":          `mp: RegisterError("mine"): the error is registered as "io.EOF" already`,
		"error type twice":     `mp: RegisterErrorType("b"): the type main.uncomparable is registered as "a" already, at prog/main.go:`,
		"error type interface": `mp: RegisterErrorType("a"): error is an interface: register the types that implement it`,
		"type twice":           `mp: RegisterType("b"): the type main.uncomparable is already registered as "a", at prog/main.go:`,
	} {
		out, err := testkit.Command(t, exe, mode).CombinedOutput()
		if err == nil || !strings.HasPrefix(string(out), "panic: "+says) {
			t.Errorf("%s: %v %.200q", mode, err, out)
		}
	}
}

// TestLaunchDeadlock: a Func that waits forever and does not look at its ctx, ends as a
// program of its own would. A binary with cgo in it (this one, with package net) has no
// such check in the Go runtime.
func TestLaunchDeadlock(t *testing.T) {
	t.Parallel()
	exe := testkit.Build(t, "prog", []string{"CGO_ENABLED=0"})
	for _, what := range []string{"channel deadlock", "mutex deadlock", "deadlock of many", "select"} {
		if out := testkit.Output(t, testkit.Command(t, exe, "call", what)); out != "code 2, reason fatal error: all goroutines are asleep - deadlock!\n" {
			t.Errorf("%s: %q", what, out)
		}
	}
	if out := testkit.Output(t, testkit.Command(t, exe, "call", "no deadlock")); out != "woken\n" {
		t.Errorf("%q", out)
	}
}

func TestLaunchCgoCrash(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("there is no C compiler")
	}
	out := testkit.Output(t, testkit.Command(t, testkit.Build(t, "cgo", []string{"CGO_ENABLED=1"})))
	if want := "true\n2 SIGSEGV: segmentation violation\n<nil>\n-15 true\n"; out != want {
		t.Errorf("%q", out)
	}
}

func TestJoinAll(t *testing.T) {
	t.Parallel()
	out := testkit.Output(t, testkit.Command(t, testkit.Build(t, "prog", nil), "joinall"))
	want := "context deadline exceeded true true\ndaemon\nProcess-\n<nil> false false false 0\n0\n-15\n<nil>\n<nil>\n" // in the end there is nothing to wait for, whatever has become of the ctx
	if out != want {
		t.Errorf("%q", out)
	}
}
