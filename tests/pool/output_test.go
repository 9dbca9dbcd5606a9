//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

type optionsPrint struct {
	N, Bytes int
	Die      bool
}

var optionsPrints = mp.Register("options/prints", func(_ context.Context, in optionsPrint) (int, error) {
	line := fmt.Sprintf("task %d %s\n", in.N, strings.Repeat("x", in.N%50))
	for n := 0; n < in.Bytes; n += len(line) {
		os.Stdout.WriteString(line)
	}
	fmt.Fprintf(os.Stderr, "err %d\n", in.N)
	if in.Die {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return in.N, nil
})

func TestOptionsCapture(t *testing.T) {
	t.Parallel()
	var out, errOut hostileCount
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2, Stdout: &out, Stderr: &errOut})
	var in []optionsPrint
	for i := range 200 {
		in = append(in, optionsPrint{N: i, Bytes: []int{0, 1, 5000, 200000}[i%4], Die: i%40 == 39})
	}
	for o := range mp.Outcomes(poolCtx(t), p, optionsPrints, slices.Values(in), mp.Capture(10000)) {
		if (o.Err != nil) != o.In.Die {
			t.Errorf("task %d: %v", o.Index, o.Err)
		}
		if want := fmt.Sprintf("err %d\n", o.Index); string(o.Stderr) != want {
			t.Errorf("task %d (%v): stderr %q", o.Index, o.Err, o.Stderr)
		}
		if o.In.Bytes == 0 && len(o.Stdout) > 0 || o.In.Bytes > 0 && len(o.Stdout) == 0 || len(o.Stdout) > 10000 {
			t.Errorf("task %d: %d bytes of stdout", o.Index, len(o.Stdout))
		}
		lines := strings.SplitAfter(string(o.Stdout), "\n")
		if len(o.Stdout) == 10000 {
			lines = lines[1:] // cut
		}
		for _, line := range lines {
			if line != "" && !strings.HasPrefix(line, fmt.Sprintf("task %d ", o.Index)) {
				t.Fatalf("task %d: %q", o.Index, line)
			}
		}
	}
	if out.n.Load()+errOut.n.Load() != 0 {
		t.Errorf("%d and %d bytes were passed on", out.n.Load(), errOut.n.Load())
	}
}

type hostileCount struct{ n atomic.Int64 }

func (w *hostileCount) Write(b []byte) (int, error) {
	w.n.Add(int64(len(b)))
	return len(b), nil
}

func TestOptionsStdoutWholeLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer // one Write at a time
	p, err := mp.NewPool(mp.PoolConfig{Workers: 3, Stdout: &out, Stderr: new(hostileSink)})
	if err != nil {
		t.Fatal(err)
	}
	in := make([]optionsPrint, 100)
	for i := range in {
		in[i] = optionsPrint{N: i, Bytes: 3000}
	}
	if _, err := mp.Map(poolCtx(t), p, optionsPrints, in); err != nil {
		t.Fatal(err)
	}
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for line := range strings.Lines(out.String()) {
		count[line]++
	}
	if len(count) != 100 {
		t.Errorf("%d different lines", len(count))
	}
}
