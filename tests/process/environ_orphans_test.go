//go:build linux

package process_test

import (
	"os/exec"
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// TestNoZombiesAsPID1: the first process of a container has nobody else to reap what killed workers
// leave.
func TestNoZombiesAsPID1(t *testing.T) {
	t.Parallel()
	launchOK(t, asPID1(t, "zombies"))
}

func TestNoZombiesOfASubreaper(t *testing.T) {
	t.Parallel()
	environ(t, nil, "subreaper")
}

// TestExecInPlace: nothing is left of workers, and of their commands, when main executes itself anew.
func TestExecInPlace(t *testing.T) {
	t.Parallel()
	environ(t, nil, "exec")
	launchOK(t, asPID1(t, "exec"))
}

// A worker that saw the end of its socket before it was killed exits with 1. It is reaped after main has
// executed itself anew, and children that are not workers are left to main.
func TestExecInPlaceAfterExit(t *testing.T) {
	t.Parallel()
	environ(t, nil, "exec exit")
	launchOK(t, asPID1(t, "exec exit"))
}

// asPID1 is a program of tests/testdata/env in a PID namespace of its own.
func asPID1(t *testing.T, mode string) *exec.Cmd {
	t.Helper()
	if err := exec.Command("unshare", "-pf", "--mount-proc", "true").Run(); err != nil {
		t.Skip("no PID namespaces here: ", err)
	}
	return testkit.Command(t, "unshare", "-pf", "--mount-proc", testkit.Build(t, "env", nil), mode)
}
