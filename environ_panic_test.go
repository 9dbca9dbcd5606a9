//go:build linux

package mp_test

import (
	"os"
	"testing"
)

// TestPanicOfNil: with GODEBUG=panicnil=1 recover cannot tell panic(nil) from none.
func TestPanicOfNil(t *testing.T) {
	t.Parallel()
	cmd := launchCmd(t, launchBuild(t, "env", nil), "panicnil")
	cmd.Env = append(os.Environ(), "GODEBUG=panicnil=1")
	launchOK(t, cmd)
}
