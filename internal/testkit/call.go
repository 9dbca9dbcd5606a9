//go:build unix

package testkit

import (
	"io"
	"testing"

	"github.com/gomultiprocessing/mp"
)

// QuietCall calls f in a process of its own whose stderr goes nowhere.
func QuietCall[In, Out any](t *testing.T, f *mp.Func[In, Out], in In) (Out, error) {
	t.Helper()
	return mp.Call(Ctx(t), f, in, mp.ProcessConfig{Stderr: io.Discard})
}
