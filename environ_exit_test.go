//go:build linux

package mp_test

import (
	"os"
	"testing"
)

// TestReasonInCrashMode: with GOTRACEBACK=crash the Go runtime prints "SIGQUIT: quit" for every
// thread, behind the reason.
func TestReasonInCrashMode(t *testing.T) {
	t.Parallel()
	cmd := launchCmd(t, launchBuild(t, "env", nil), "crash")
	cmd.Env = append(os.Environ(), "GOTRACEBACK=crash")
	launchOK(t, cmd)
}

// TestStatusTaken: the error says that something else took the exit status.
func TestStatusTaken(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"thief", "sigchld"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			launchOK(t, launchCmd(t, launchBuild(t, "env", nil), how))
		})
	}
}
