//go:build linux

package process_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestProcessStdin(t *testing.T) {
	t.Parallel()
	if got := procCall(t, procDo{What: "stdin"}, mp.ProcessConfig{Stdin: strings.NewReader("one\ntwo")}); got != "one\ntwo" {
		t.Errorf("%q", got)
	}
	if got := procCall(t, procDo{What: "stdin"}, mp.ProcessConfig{}); got != "" {
		t.Errorf("%q", got)
	}
}

func TestProcessOutput(t *testing.T) {
	t.Parallel()
	var out, errs procWriter
	procCall(t, procDo{What: "print", Text: "x", N: 2}, mp.ProcessConfig{Stdout: &out, Stderr: &errs})
	if out.String() != "out x 0\nout x 1\n" || errs.String() != "err x 0\nerr x 1\n" {
		t.Errorf("%q %q", out.String(), errs.String())
	}
}

// TestProcessOutputOfMany: whole lines, none lost, none mixed, those of each in order.
func TestProcessOutputOfMany(t *testing.T) {
	t.Parallel()
	const lines = 300
	var out procWriter
	var ps []*mp.Process
	for i := range 4 {
		p, err := mp.Start(testkit.Ctx(t), procAct, procDo{What: "print", Text: strings.Repeat(fmt.Sprint(i), 200), N: lines},
			mp.ProcessConfig{Stdout: &out, Stderr: &out})
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	for _, p := range ps {
		if err := p.Join(testkit.Ctx(t)); err != nil {
			t.Error(err)
		}
	}
	next := make(map[string]int)
	line := regexp.MustCompile(`^(out|err) (0{200}|1{200}|2{200}|3{200}) (\d+)$`)
	for l := range strings.Lines(out.String()) {
		m := line.FindStringSubmatch(strings.TrimSuffix(l, "\n"))
		if m == nil {
			t.Fatalf("a mixed line: %q", l)
		}
		key := m[1] + m[2]
		if fmt.Sprint(next[key]) != m[3] {
			t.Fatalf("line %s, want %d", m[3], next[key])
		}
		next[key]++
	}
	for key, n := range next {
		if n != lines {
			t.Errorf("%s: %d lines", key[:5], n)
		}
	}
	if len(next) != 8 {
		t.Error(len(next))
	}
}

// TestProcessOutputAtOnce: a line is there while its process runs.
func TestProcessOutputAtOnce(t *testing.T) {
	t.Parallel()
	p := procStart(t, testkit.Ctx(t), procDo{What: "sleep"}, mp.ProcessConfig{}) // waits for its line
	if !p.Alive() {
		t.Error("dead")
	}
}

func TestProcessEnvDirProcs(t *testing.T) {
	t.Parallel()
	if got := procCall(t, procDo{What: "env"}, mp.ProcessConfig{Env: []string{"A=1", "B=2", "A=3"}}); !procSame(got, "A=3", "B=2") {
		t.Errorf("%q", got)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got := procCall(t, procDo{What: "dir"}, mp.ProcessConfig{Dir: dir}); got != dir {
		t.Errorf("%q", got)
	}
	for _, n := range []int{1, 7} {
		if got := procCall(t, procDo{What: "procs"}, mp.ProcessConfig{Procs: n}); got != fmt.Sprint(n) {
			t.Errorf("%q", got)
		}
	}
	if _, err := mp.Call(testkit.Ctx(t), procAct, procDo{What: "dir"}, mp.ProcessConfig{Dir: "/does/not/exist"}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// procSame compares lines without order, and without GOCOVERDIR, which a test of coverage
// adds, and GORACE, which one with the race detector does.
func procSame(got string, want ...string) bool {
	lines := slices.DeleteFunc(strings.Split(got, "\n"), func(s string) bool {
		return strings.HasPrefix(s, "GOCOVERDIR=") || strings.HasPrefix(s, "GORACE=")
	})
	slices.Sort(lines)
	return slices.Equal(lines, want)
}

func TestProcessArgs(t *testing.T) {
	t.Parallel()
	if got := procCall(t, procDo{What: "args"}, mp.ProcessConfig{}); got != fmt.Sprintf("%q", os.Args) {
		t.Errorf("%s, want %q", got, os.Args)
	}
}

// TestProcessShows: ps tells processes apart.
func TestProcessShows(t *testing.T) {
	t.Parallel()
	p := procStart(t, testkit.Ctx(t), procDo{What: "sleep"}, mp.ProcessConfig{})
	q := procStart(t, testkit.Ctx(t), procDo{What: "sleep"}, mp.ProcessConfig{})
	for _, p := range []*mp.Process{p, q} {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID()))
		if err != nil {
			t.Fatal(err)
		}
		argv0, _, _ := strings.Cut(string(line), "\x00")
		if want := filepath.Base(os.Args[0]) + ": " + p.Name(); argv0 != want {
			t.Errorf("argv[0] is %q, want %q", argv0, want)
		}
	}
	if procComm(t, p) == procComm(t, q) {
		t.Errorf("both are called %q", procComm(t, p))
	}
}

func procComm(t *testing.T, p *mp.Process) string {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(comm))
}

// TestProcessLeavesNothingToWhatItStarts: no mark, no descriptor.
func TestProcessLeavesNothingToWhatItStarts(t *testing.T) {
	t.Parallel()
	list := "ls -l /proc/self/fd; env"
	got := procCall(t, procDo{What: "run", Text: list}, mp.ProcessConfig{})
	if !strings.Contains(got, "/proc/") || strings.Contains(got, "MP_CHILD") || strings.Contains(got, "socket:") {
		t.Error(got)
	}
	if g := procDescriptors(got); len(g) > 0 { // whatever this process was given itself
		t.Errorf("inherited: %q", g)
	}
}

func procDescriptors(list string) (fds []string) {
	for _, m := range regexp.MustCompile(` (\d+) -> (\S+)`).FindAllStringSubmatch(list, -1) {
		if n, _ := strconv.Atoi(m[1]); n > 2 && !strings.HasPrefix(m[2], "/proc/") {
			fds = append(fds, m[0])
		}
	}
	return fds
}
