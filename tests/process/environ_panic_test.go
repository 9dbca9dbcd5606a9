//go:build linux

package process_test

import (
	"os"
	"testing"

	"github.com/gomultiprocessing/mp/internal/testkit"
)

// TestPanicOfNil: with GODEBUG=panicnil=1 recover cannot tell panic(nil) from none.
func TestPanicOfNil(t *testing.T) {
	t.Parallel()
	cmd := testkit.Command(t, testkit.Build(t, "env", nil), "panicnil")
	cmd.Env = append(os.Environ(), "GODEBUG=panicnil=1")
	launchOK(t, cmd)
}
