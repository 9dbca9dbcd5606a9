//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// What is promised of pools in these files holds for both kinds: a program moves from one
// to the other by its constructor.
var poolKinds = map[string]func(mp.PoolConfig) (*mp.Pool, error){
	"processes": mp.NewPool, "goroutines": thread.NewPool,
}

// onPools runs a test on each kind of pools. make makes one that is gone when the test is over.
func onPools(t *testing.T, test func(t *testing.T, make func(mp.PoolConfig) *mp.Pool)) {
	t.Helper()
	t.Parallel()
	for name, kind := range poolKinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, func(cfg mp.PoolConfig) *mp.Pool {
				t.Helper()
				return made(t, kind, cfg)
			})
		})
	}
}

func made(t *testing.T, kind func(mp.PoolConfig) (*mp.Pool, error), cfg mp.PoolConfig) *mp.Pool {
	t.Helper()
	p, err := kind(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Terminate()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.Join(ctx); err != nil && !errors.Is(err, errConform) {
			t.Logf("Join: %v", err) // of callbacks that panicked
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Error("Join hangs")
		}
	})
	return p
}

// conformIn says what a task does.
type conformIn struct {
	How  string
	N    int
	Gate string // a file: the task says that it is begun, and waits until the file is there
}

var errConform = errors.New("a task has failed")

var conformTask = mp.Register("conform/task", func(ctx context.Context, in conformIn) (int, error) {
	if in.Gate != "" {
		if err := os.WriteFile(in.Gate+".begun", nil, 0o600); err != nil {
			return 0, err
		}
		if err := gate(in.Gate).await(ctx, in.How == "deaf"); err != nil {
			return 0, err
		}
	}
	switch in.How {
	case "fails":
		return in.N, errConform
	case "permanent":
		return 0, mp.Permanent(errConform)
	case "panics":
		panic("a task has panicked")
	case "exits":
		runtime.Goexit()
	case "fails until":
		if info, _ := mp.CurrentTask(ctx); info.Attempt < in.N {
			return 0, errConform
		}
	case "obeys":
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return in.N, nil
})

func init() { mp.RegisterError("conform/error", errConform) }

var conformDouble = mp.Register("conform/double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })

// gate is a file that tasks wait for, in whatever process.
type gate string

func newGate(t *testing.T) gate { return gate(filepath.Join(t.TempDir(), "gate")) }

func (g gate) task(how string, n int) conformIn { return conformIn{How: how, N: n, Gate: string(g)} }

// begun waits until a task waits for the gate.
func (g gate) begun(t *testing.T) {
	t.Helper()
	testkit.Until(t, "a task is begun", func() bool { _, err := os.Stat(string(g) + ".begun"); return err == nil })
}

func (g gate) open(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(string(g), nil, 0o600); err != nil {
		t.Error(err)
	}
}

// await waits until the gate is open, or its test is over. deaf: whatever becomes of ctx.
func (g gate) await(ctx context.Context, deaf bool) error {
	for {
		if _, err := os.Stat(string(g)); err == nil {
			return nil
		}
		if _, err := os.Stat(filepath.Dir(string(g))); err != nil {
			return err
		}
		if ctx.Err() != nil && !deaf {
			return ctx.Err()
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func upTo(n int) []int {
	in := make([]int, n)
	for i := range in {
		in[i] = i
	}
	return in
}

func doubles(n int) []int {
	out := upTo(n)
	for i := range out {
		out[i] *= 2
	}
	return out
}

func TestPoolsApply(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		for i := range 50 {
			if v, err := mp.Apply(poolCtx(t), p, conformDouble, i); v != 2*i || err != nil {
				t.Errorf("%d: %d, %v", i, v, err)
			}
		}
		var rs []*mp.Result[int]
		for i := range 500 {
			rs = append(rs, mp.ApplyAsync(poolCtx(t), p, conformDouble, i))
		}
		for i, r := range rs {
			if v, err := r.Get(poolCtx(t)); v != 2*i || err != nil || !r.Ready() || r.Err() != nil {
				t.Errorf("%d: %d, %v", i, v, err)
			}
			if v, err := r.Get(poolCtx(t)); v != 2*i || err != nil {
				t.Errorf("%d again: %d, %v", i, v, err)
			}
		}
	})
}

// In order, however many are handed over at a time.
func TestPoolsMap(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 4})
		for _, n := range []int{0, 1, 2, 3, 100, 5000} {
			for _, chunk := range []mp.TaskOption{nil, mp.Chunk(1), mp.Chunk(2), mp.Chunk(7), mp.Chunk(100_000)} {
				out, err := mp.Map(poolCtx(t), p, conformDouble, upTo(n), chunk)
				if err != nil || !slices.Equal(out, doubles(n)) || out == nil {
					t.Errorf("Map of %d: %v", n, err)
				}
				out, err = mp.MapAsync(poolCtx(t), p, conformDouble, upTo(n), chunk).Get(poolCtx(t))
				if err != nil || !slices.Equal(out, doubles(n)) {
					t.Errorf("MapAsync of %d: %v", n, err)
				}
			}
		}
	})
}

func TestPoolsProgress(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		for name, call := range map[string]func(tell mp.TaskOption) error{
			"Map": func(tell mp.TaskOption) error {
				_, err := mp.Map(poolCtx(t), p, conformDouble, upTo(300), tell)
				return err
			},
			"Imap": func(tell mp.TaskOption) (err error) {
				for _, err = range mp.Imap(poolCtx(t), p, conformDouble, slices.Values(upTo(300)), tell) {
				}
				return err
			},
		} {
			last, total := 0, 0
			err := call(mp.Progress(func(done, of int) {
				if done < last || done > 300 || of != 300 && of != -1 {
					t.Errorf("%s: %d of %d after %d", name, done, of, last)
				}
				last, total = done, of
			}))
			if err != nil || last != 300 || total != 300 {
				t.Errorf("%s: %v; at last %d of %d", name, err, last, total)
			}
		}
		func() {
			defer func() {
				if v := recover(); v != "in Progress" {
					t.Errorf("%v", v)
				}
			}()
			mp.Map(poolCtx(t), p, conformDouble, upTo(10), mp.Progress(func(int, int) { panic("in Progress") }))
		}()
		if v, err := mp.Apply(poolCtx(t), p, conformDouble, 1); v != 2 || err != nil {
			t.Error(v, err)
		}
	})
}

// Each task knows which it is.
func TestPoolsCurrentTask(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		type key struct{}
		hour, cancel := context.WithTimeout(context.WithValue(poolCtx(t), stopKey{}, key{}), time.Hour)
		defer cancel()
		for _, chunk := range []int{1, 3, 200} {
			all, err := mp.Map(hour, p, stopLook, upTo(200), mp.Chunk(chunk))
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range all {
				if s.Info.Index != i || s.Info.Func != "stop/look" || s.Info.Attempt != 1 || s.Info.Worker < 1 || s.Info.Worker > 2 || !s.InTask || !s.Has {
					t.Fatalf("task %d: %+v", i, s)
				}
			}
		}
		s, err := mp.Apply(hour, p, stopLook, 0, mp.Timeout(time.Minute))
		if err != nil || s.Deadline > time.Minute || s.Deadline < 10*time.Second {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
