//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// killKind is what a task does.
type killKind int

const (
	killOK killKind = iota
	killSelf
	killExit
	killPanic
	killError
)

type killIn struct {
	N    int
	Kind killKind
}

var killKinds = mp.Register("kill/kinds", func(_ context.Context, in killIn) (int, error) {
	switch in.Kind {
	case killSelf:
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case killExit:
		os.Exit(3)
	case killPanic:
		panic(fmt.Sprintf("panic %d", in.N))
	case killError:
		return 0, fmt.Errorf("error %d", in.N)
	}
	return in.N * 2, nil
})

// kindOf spreads the four bad ones over n: of each 50 tasks one of each.
func kindOf(n int) killKind {
	switch n % 50 {
	case 7:
		return killSelf
	case 19:
		return killExit
	case 31:
		return killPanic
	case 43:
		return killError
	}
	return killOK
}

// checkKind says what is wrong with the outcome of task n.
func checkKind(n, out int, err error) error {
	var died *mp.WorkerDiedError
	var panicked *mp.PanicError
	var remote *mp.RemoteError
	good := false
	switch kindOf(n) {
	case killOK:
		good = err == nil && out == n*2
	case killSelf:
		good = killedBy(err, syscall.SIGKILL)
	case killExit:
		good = errors.As(err, &died) && died.ExitCode == 3 && died.Signal == nil
	case killPanic:
		good = errors.As(err, &panicked) && panicked.Value == fmt.Sprintf("panic %d", n)
	case killError:
		good = errors.As(err, &remote) && remote.Message == fmt.Sprintf("error %d", n)
	}
	var task *mp.TaskError
	if good && err != nil && (!errors.As(err, &task) || task.Index != n && task.Index != 0 || task.PID == 0 || task.Attempts != 1) {
		return fmt.Errorf("task %d: the error is %#v", n, err)
	}
	if !good {
		return fmt.Errorf("task %d of kind %d: %d, %v", n, kindOf(n), out, err)
	}
	return nil
}

func killInputs(n int) []killIn {
	in := make([]killIn, n)
	for i := range in {
		in[i] = killIn{i, kindOf(i)}
	}
	return in
}

func killTasks() int {
	if testkit.Race && !testkit.LongTests {
		return 1000 // of which 40 cost a worker, which starts slowly then
	}
	return 3000
}

func TestKillKindsByMap(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	n := killTasks()
	out, err := mp.Map(poolCtx(t), p, killKinds, killInputs(n))
	var all *mp.MapError
	if !errors.As(err, &all) {
		t.Fatal(err)
	}
	errs := make(map[int]error)
	for _, e := range all.Errs {
		if errs[e.Index] != nil {
			t.Errorf("task %d has two errors", e.Index)
		}
		errs[e.Index] = e
	}
	if all.Total != n || len(out) != n {
		t.Fatalf("%d tasks, %d outputs", all.Total, len(out))
	}
	for i := range n {
		if err := checkKind(i, out[i], errs[i]); err != nil {
			t.Error(err)
		}
	}
}

func TestKillKindsByOutcomes(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	n := killTasks()
	seen := make([]bool, n)
	for o := range mp.Outcomes(poolCtx(t), p, killKinds, slices.Values(killInputs(n))) {
		if o.Index < 0 || seen[o.Index] {
			t.Fatalf("outcome %d again: %v", o.Index, o.Err)
		}
		seen[o.Index] = true
		if err := checkKind(o.Index, o.Out, o.Err); err != nil {
			t.Error(err)
		}
		if o.In.N != o.Index || o.Attempts != 1 || o.PID == 0 {
			t.Errorf("outcome %d: %+v", o.Index, o)
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Errorf("task %d has no outcome", i)
	}
}

func TestKillKindsByApplyAsync(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2})
	ctx := poolCtx(t)
	n := killTasks()
	rs := make([]*mp.Result[int], n)
	for i, in := range killInputs(n) {
		rs[i] = mp.ApplyAsync(ctx, p, killKinds, in)
	}
	for i, r := range rs {
		out, err := r.Get(ctx)
		if err := checkKind(i, out, err); err != nil {
			t.Error(err)
		}
	}
}
