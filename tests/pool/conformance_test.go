//go:build unix

package pool_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
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
	until(t, "a task is begun", func() bool { _, err := os.Stat(string(g) + ".begun"); return err == nil })
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

func TestPoolsLoops(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 3})
		for _, n := range []int{0, 1, 2, 1000} {
			for _, opt := range []mp.TaskOption{nil, mp.Chunk(1), mp.Chunk(10), mp.Window(1), mp.Window(2 * 1000)} {
				var out []int
				for v, err := range mp.Imap(poolCtx(t), p, conformDouble, slices.Values(upTo(n)), opt) {
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, v)
				}
				if !slices.Equal(out, doubles(n)) {
					t.Errorf("Imap of %d: %d values", n, len(out))
				}
				out = nil
				for v, err := range mp.ImapUnordered(poolCtx(t), p, conformDouble, slices.Values(upTo(n)), opt) {
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, v)
				}
				if slices.Sort(out); !slices.Equal(out, doubles(n)) {
					t.Errorf("ImapUnordered of %d: %d values", n, len(out))
				}
				seen := 0
				for o := range mp.Outcomes(poolCtx(t), p, conformDouble, slices.Values(upTo(n)), opt) {
					if seen++; o.Err != nil || o.In != o.Index || o.Out != 2*o.In || o.Attempts != 1 || o.PID == 0 || o.Wall < 0 {
						t.Errorf("%+v", o)
					}
				}
				if seen != n {
					t.Errorf("Outcomes of %d: %d", n, seen)
				}
			}
		}
	})
}

// A loop over what never ends takes no more inputs than its window, and can be left.
func TestPoolsLoopsAreLazy(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		for name, loop := range map[string]func(in iter.Seq[int]) iter.Seq2[int, error]{
			"Imap": func(in iter.Seq[int]) iter.Seq2[int, error] {
				return mp.Imap(poolCtx(t), p, conformDouble, in, mp.Window(5))
			},
			"ImapUnordered": func(in iter.Seq[int]) iter.Seq2[int, error] {
				return mp.ImapUnordered(poolCtx(t), p, conformDouble, in, mp.Window(5))
			},
		} {
			var taken atomic.Int64
			ended := atomic.Bool{}
			given := int64(0)
			for range loop(func(yield func(int) bool) {
				defer ended.Store(true)
				for i := 0; i < math.MaxInt; i++ {
					taken.Add(1)
					if !yield(i) {
						return
					}
				}
			}) {
				if given++; taken.Load() > given+6 {
					t.Errorf("%s: %d taken, %d given", name, taken.Load(), given)
				}
				if given == 100 {
					break
				}
			}
			until(t, "the iterator is let go of", ended.Load)
		}
		until(t, "the rest is cancelled", func() bool { st := p.Stats(); return st.Queued+st.Running == 0 })
		if v, err := mp.Apply(poolCtx(t), p, conformDouble, 1); v != 2 || err != nil {
			t.Error(v, err)
		}
	})
}

// Nothing is taken while the loop's body has not asked for it, even if nothing was finished.
func TestPoolsLoopsWaitForTheFirst(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		g := newGate(t)
		var taken atomic.Int64
		next, stop := iter.Pull2(mp.Imap(poolCtx(t), p, conformTask, func(yield func(conformIn) bool) {
			for i := 0; ; i++ {
				taken.Add(1)
				in := conformIn{N: i}
				if i == 0 {
					in = g.task("", 0)
				}
				if !yield(in) {
					return
				}
			}
		}, mp.Window(4)))
		defer stop()
		if n := taken.Load(); n != 0 {
			t.Errorf("%d taken before the first step", n)
		}
		got := atomic.Bool{}
		go func() {
			g.begun(t)
			until(t, "the window is full", func() bool { st := p.Stats(); return st.Done == 3 })
			if n := taken.Load(); n > 5 || got.Load() {
				t.Errorf("%d taken while the first runs", n)
			}
			g.open(t)
		}()
		for i := range 20 {
			v, err, ok := next()
			if got.Store(true); v != i || err != nil || !ok {
				t.Fatalf("%d: %d, %v, %v", i, v, err, ok)
			}
		}
	})
}

// A panic of the input iterator comes out in the loop, after what it gave before.
func TestPoolsIteratorThatPanics(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		n := 0
		func() {
			defer func() {
				if v := recover(); v != "no more" {
					t.Errorf("%v", v)
				}
			}()
			for v, err := range mp.Imap(poolCtx(t), p, conformDouble, func(yield func(int) bool) {
				for i := range 20 {
					yield(i)
				}
				panic("no more")
			}) {
				if v != 2*n || err != nil {
					t.Errorf("%d: %d, %v", n, v, err)
				}
				n++
			}
		}()
		if n != 20 {
			t.Errorf("%d values", n)
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
