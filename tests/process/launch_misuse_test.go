//go:build linux

package process_test

import (
	"bufio"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// What runs in every process and starts a process is no recursion without end, and
// says what it is.
func TestLaunchBesideMain(t *testing.T) {
	t.Parallel()
	exe := testkit.Build(t, "prog", nil)
	for mode, says := range map[string]string{
		"beside main":      "this process is child number 16 in a chain of children",
		"pool beside main": "true",
	} {
		cmd := testkit.Command(t, exe, mode)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || !strings.Contains(lines.Text(), says) {
			t.Errorf("%s: %q, %v", mode, lines.Text(), lines.Err())
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// A child whose main ends before Main has not done its work, whatever its exit code.
func TestLaunchEndsBeforeMain(t *testing.T) {
	t.Parallel()
	out := testkit.Output(t, testkit.Command(t, testkit.Build(t, "prog", nil), "returns early"))
	process, pool, _ := strings.Cut(out, "\n")
	for _, text := range []string{process, pool} {
		if !strings.Contains(text, "before it came to mp.Main: call mp.Main first thing in main") {
			t.Errorf("%q", text)
		}
	}
}

// Also with a deadline, of which a child knows from the start.
func TestLaunchDeadlockWithDeadline(t *testing.T) {
	t.Parallel()
	exe := testkit.Build(t, "prog", []string{"CGO_ENABLED=0"})
	out := testkit.Output(t, testkit.Command(t, exe, "call with deadline", "select"))
	if !strings.Contains(out, "fatal error: all goroutines are asleep - deadlock!") {
		t.Errorf("%q", out)
	}
}

// A program that ignores SIGCHLD, or waits for any child, never learns exit codes. What
// the child itself has said is enough.
func TestLaunchExitStatusTaken(t *testing.T) {
	t.Parallel()
	exe := testkit.Build(t, "prog", nil)
	for what, says := range map[string]string{
		"short":  "\n<nil>\n",
		"exit 0": "its exit status was taken by something else in this program",
		"fail":   "it fails",
	} {
		if out := testkit.Output(t, testkit.Command(t, exe, "call without children", what)); !strings.Contains(out, says) {
			t.Errorf("%s: %q", what, out)
		}
	}
}

func TestLaunchExitCodes(t *testing.T) {
	t.Parallel()
	exe := testkit.Build(t, "prog", nil)
	for what, want := range map[string]string{
		"exit 0":   "code 0, reason \n",
		"exit 255": "code 255, reason \n",
	} {
		if out := testkit.Output(t, testkit.Command(t, exe, "call", what)); out != want {
			t.Errorf("%s: %q", what, out)
		}
	}
}

// A child that writes nonsense to its control socket is killed, and Join says why.
func TestLaunchGarbage(t *testing.T) {
	t.Parallel()
	out := testkit.Output(t, testkit.Command(t, testkit.Build(t, "prog", nil), "call with deadline", "garbage"))
	if !strings.Contains(out, "broke the protocol: malformed message") {
		t.Errorf("%q", out)
	}
}
