//go:build linux

package process_test

import (
	"os"
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// TestReasonInCrashMode: with GOTRACEBACK=crash the Go runtime prints "SIGQUIT: quit" for every
// thread, behind the reason.
func TestReasonInCrashMode(t *testing.T) {
	t.Parallel()
	cmd := testkit.Command(t, testkit.Build(t, "env", nil), "crash")
	cmd.Env = append(os.Environ(), "GOTRACEBACK=crash")
	launchOK(t, cmd)
}

// TestStatusTaken: the error says that something else took the exit status.
func TestStatusTaken(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"thief", "sigchld"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			launchOK(t, testkit.Command(t, testkit.Build(t, "env", nil), how))
		})
	}
}
