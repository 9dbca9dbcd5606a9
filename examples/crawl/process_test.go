//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// children are the processes that a process has started and not reaped.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	must(t, err)
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil { // threads come and go
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			must(t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

// start starts the program as a process of its own: the test binary under the other name.
func start(t *testing.T, args ...string) (cmd *exec.Cmd, stdout *bufio.Reader, stderr *strings.Builder) {
	t.Helper()
	cmd, stderr = exec.Command("crawl", args...), new(strings.Builder)
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() }) // it has ended, mostly
	return cmd, bufio.NewReader(out), stderr
}

// Whenever some more pages are done all parsers are killed. No page is lost or told
// twice, or has to be got again.
func TestKilledParsers(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid())); err != nil {
		t.Skip("the system does not tell a process's children")
	}
	s, url := newLargeSite(t)
	cmd, stdout, stderr := start(t, "-j", "4", "-processes", "3", url)
	var lines strings.Builder
	killed := make(map[int]bool)
	for n := 1; ; n++ {
		line, err := stdout.ReadString('\n')
		lines.WriteString(line)
		if err == io.EOF {
			break
		}
		must(t, err)
		if n%100 == 0 && n < 1900 {
			for _, pid := range children(t, cmd.Process.Pid) {
				killed[pid] = syscall.Kill(pid, syscall.SIGKILL) == nil || killed[pid]
			}
		}
	}
	if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
		t.Errorf("%v: %s", err, stderr)
	}
	s.whole(t, records(t, lines.String()))
	t.Logf("%d parsers were killed", len(killed))
	if len(killed) < 18 {
		t.Error("which is too few to show anything")
	}
}

// Interrupted in the middle it ends at once, with whole lines and without its parsers.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	var held sync.WaitGroup
	held.Add(4)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		case r.URL.Path == "/":
			writePage(w, "home", "/parsed", "/1", "/2", "/3", "/4", "/5")
		case r.URL.Path == "/parsed":
			writePage(w, "parsed")
		default:
			held.Done()
			<-r.Context().Done()
		}
	})
	cmd, stdout, stderr := start(t, "-j", "4", "-processes", "2", base)
	var lines strings.Builder
	for range 2 {
		line, err := stdout.ReadString('\n')
		must(t, err)
		lines.WriteString(line)
	}
	held.Wait()
	parsers := children(t, cmd.Process.Pid)
	must(t, cmd.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(stdout)
	must(t, err)
	cmd.Wait() // the code says it
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || stderr.String() != "interrupted\n" || len(rest) > 0 {
		t.Errorf("exit code %d, it said %q and %q", code, rest, stderr)
	}
	names(t, records(t, lines.String()), "/ /parsed")
	for _, pid := range parsers {
		if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
			t.Errorf("the parser %d is left: %v", pid, err)
		}
	}
}
