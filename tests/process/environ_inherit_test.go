//go:build linux

package process_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// environ runs a program of tests/testdata/env, which prints ok or what is wrong.
func environ(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := testkit.Command(t, testkit.Build(t, "env", nil), args...)
	cmd.Env = append(os.Environ(), env...)
	launchOK(t, cmd)
}

// TestArgsFromTheFirstInitOn: package conf is initialised before package mp is.
func TestArgsFromTheFirstInitOn(t *testing.T) {
	t.Parallel()
	environ(t, nil, "args", "a b", "", "-x=é")
	cmd := testkit.Command(t, testkit.Build(t, "env", nil))
	cmd.Args = []string{"another name", "args"} // as programs that dispatch on it
	launchOK(t, cmd)
}

// TestTitleBesideArgs: ps tells processes apart all the same.
func TestTitleBesideArgs(t *testing.T) {
	t.Parallel()
	environ(t, nil, "title", "a b")
}

func TestCommandsHaveSignalsAsInMain(t *testing.T) {
	t.Parallel()
	environ(t, nil, "signals")
	if _, err := exec.LookPath("script"); err != nil {
		t.Log("no script(1): not tried with a controlling terminal")
		return
	}
	out, err := exec.Command("script", "-qec", testkit.Build(t, "env", nil)+" signals", "/dev/null").CombinedOutput()
	if err != nil || string(out) != "ok\r\n" {
		t.Errorf("with a controlling terminal: %v %q", err, out)
	}
}

func TestThreadOfTheCaller(t *testing.T) {
	t.Parallel()
	environ(t, nil, "thread")
}

func TestInheritedDescriptorsAreClosed(t *testing.T) {
	t.Parallel()
	environ(t, nil, "files")
}

func TestPassedDescriptorsAreKept(t *testing.T) {
	t.Parallel()
	environ(t, nil, "passed")
}

func TestListenFDsDoNotReachWorkers(t *testing.T) {
	t.Parallel()
	environ(t, []string{"LISTEN_FDS=2", "LISTEN_PID=1", "LISTEN_FDNAMES=a:b"}, "units")
}

func TestWorkersOutliveSIGTERM(t *testing.T) {
	t.Parallel()
	environ(t, nil, "sigterm")
}
