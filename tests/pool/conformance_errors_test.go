//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var quickBackoff = mp.Backoff{Min: time.Millisecond, Max: 2 * time.Millisecond}

// The errors of tasks are the same in both kinds of pools.
func TestPoolsTaskError(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		for how, is := range map[string]func(err error) bool{
			"fails":     func(err error) bool { return errors.Is(err, errConform) },
			"permanent": func(err error) bool { return errors.Is(err, errConform) },
			"panics": func(err error) bool {
				var panicked *mp.PanicError
				return errors.As(err, &panicked) && panicked.Value == "a task has panicked" && strings.Contains(panicked.Stack, "conformance_test.go")
			},
			"exits": func(err error) bool { return strings.Contains(err.Error(), "runtime.Goexit") },
		} {
			for range 20 { // as long as their worker lives
				v, err := mp.Apply(poolCtx(t), p, conformTask, conformIn{How: how, N: 5})
				var task *mp.TaskError
				if v != 0 || !errors.As(err, &task) || !is(err) || task.Func != "conform/task" || task.Index != 0 || task.Attempts != 1 || task.PID == 0 {
					t.Errorf("%s: %d, %v; %+v", how, v, err, task)
				}
			}
		}
		if n := p.Stats().Restarts; n != 0 {
			t.Errorf("%d restarts", n)
		}
	})
}

// Map waits for all tasks, though some have failed, and tells which.
func TestPoolsMapError(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		in := conformInputs(100, map[int]string{0: "fails", 17: "panics", 50: "exits", 99: "permanent"})
		for _, chunk := range []int{1, 10, 100} {
			for _, call := range []func() ([]int, error){
				func() ([]int, error) { return mp.Map(poolCtx(t), p, conformTask, in, mp.Chunk(chunk)) },
				func() ([]int, error) {
					return mp.MapAsync(poolCtx(t), p, conformTask, in, mp.Chunk(chunk)).Get(poolCtx(t))
				},
			} {
				out, err := call()
				var all *mp.MapError
				if !errors.As(err, &all) || all.Total != 100 || len(out) != 100 {
					t.Fatalf("%d values, %v", len(out), err)
				}
				var failed []int
				for _, e := range all.Errs {
					failed = append(failed, e.Index)
				}
				if !slices.Equal(failed, []int{0, 17, 50, 99}) || !errors.Is(err, errConform) || !strings.Contains(err.Error(), "4 of 100") {
					t.Errorf("%v: %v", failed, err)
				}
				for i, v := range out {
					if in[i].How == "" && v != i || in[i].How != "" && v != 0 {
						t.Errorf("place %d: %d", i, v)
					}
				}
			}
		}
	})
}

// conformInputs are n tasks that give their index, but for those that do something else.
func conformInputs(n int, how map[int]string) []conformIn {
	in := make([]conformIn, n)
	for i := range in {
		in[i] = conformIn{How: how[i], N: i}
	}
	return in
}

// A loop gets an error in its place and goes on.
func TestPoolsLoopsGoOnAfterErrors(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		in := conformInputs(60, map[int]string{0: "panics", 7: "fails", 30: "exits", 59: "fails"})
		i := 0
		for v, err := range mp.Imap(poolCtx(t), p, conformTask, slices.Values(in)) {
			var task *mp.TaskError
			if in[i].How == "" && (v != i || err != nil) || in[i].How != "" && (v != 0 || !errors.As(err, &task) || task.Index != i) {
				t.Errorf("%d: %d, %v", i, v, err)
			}
			i++
		}
		n := 0
		for o := range mp.Outcomes(poolCtx(t), p, conformTask, slices.Values(in)) {
			if n++; (o.Err != nil) != (o.In.How != "") || o.In.N != o.Index {
				t.Errorf("%+v", o)
			}
		}
		if i != 60 || n != 60 {
			t.Errorf("%d, %d", i, n)
		}
	})
}

func TestPoolsRetries(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		retries := mp.Retries(3, quickBackoff)
		if v, err := mp.Apply(poolCtx(t), p, conformTask, conformIn{How: "fails until", N: 4}, retries); v != 4 || err != nil {
			t.Error(v, err)
		}
		for how, attempts := range map[string]int{"fails": 4, "panics": 4, "exits": 4, "permanent": 1} {
			_, err := mp.Apply(poolCtx(t), p, conformTask, conformIn{How: how}, retries)
			var task *mp.TaskError
			if !errors.As(err, &task) || task.Attempts != attempts {
				t.Errorf("%s: %v", how, err)
			}
		}
		in := conformInputs(50, map[int]string{3: "fails until", 20: "fails until", 40: "fails"})
		in[20].N = 3
		out, err := mp.Map(poolCtx(t), p, conformTask, in, retries, mp.Chunk(10))
		var all *mp.MapError
		if !errors.As(err, &all) || len(all.Errs) != 1 || all.Errs[0].Index != 40 || all.Errs[0].Attempts != 4 || out[3] != 3 || out[20] != 3 {
			t.Error(err)
		}
		if st := p.Stats(); st.Retried != 3+3+3+3+2+2+3 {
			t.Errorf("%+v", st)
		}
		began := time.Now()
		mp.Apply(poolCtx(t), p, conformTask, conformIn{How: "fails"}, mp.Retries(2, mp.Backoff{Min: 20 * time.Millisecond, Factor: 2, Jitter: -1}))
		if took := time.Since(began); took < 60*time.Millisecond {
			t.Errorf("two back-offs took %v", took)
		}
	})
}

// A task that takes too long has its error, whether or not it looks at its ctx.
func TestPoolsTimeout(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1, Grace: 20 * time.Millisecond})
		for _, how := range []string{"obeys", "deaf"} {
			in := conformIn{How: how}
			if how == "deaf" {
				in = newGate(t).task(how, 0)
			}
			began := time.Now()
			_, err := mp.Apply(poolCtx(t), p, conformTask, in, mp.Timeout(50*time.Millisecond))
			var late *mp.TimeoutError
			var task *mp.TaskError
			took := time.Since(began)
			if !errors.As(err, &late) || late.After != 50*time.Millisecond || !errors.As(err, &task) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", how, err)
			}
			if took < 50*time.Millisecond || took > testkit.Within(time.Second) {
				t.Errorf("%s: after %v", how, took)
			}
			if v, err := mp.Apply(poolCtx(t), p, conformTask, conformIn{N: 4}, mp.Timeout(time.Minute)); v != 4 || err != nil {
				t.Errorf("then %d, %v", v, err)
			}
		}
		// Each of a chunk has its own time, and only those that are late fail.
		g := newGate(t)
		in := conformInputs(20, nil)
		in[5], in[11] = g.task("deaf", 5), g.task("deaf", 11)
		out, err := mp.Map(poolCtx(t), p, conformTask, in, mp.Timeout(200*time.Millisecond), mp.Chunk(20))
		var all *mp.MapError
		if !errors.As(err, &all) || len(all.Errs) != 2 || all.Errs[0].Index != 5 || all.Errs[1].Index != 11 || out[19] != 19 {
			t.Error(err)
		}
	})
}

// The first failure cancels the rest of its call, and nothing else.
func TestPoolsFailFast(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2, Grace: 20 * time.Millisecond})
		g := newGate(t)
		in := conformInputs(100, map[int]string{3: "fails"})
		in[0] = g.task("", 0) // never ends by itself
		out, err := mp.Map(poolCtx(t), p, conformTask, in, mp.FailFast(), mp.Chunk(1))
		var all *mp.MapError
		if !errors.As(err, &all) || len(all.Errs) != 1 || all.Errs[0].Index != 3 || len(out) != 100 || out[1] != 1 {
			t.Error(err)
		}
		if _, err := mp.MapAsync(poolCtx(t), p, conformTask, in, mp.FailFast(), mp.Chunk(1)).Get(poolCtx(t)); !errors.As(err, &all) {
			t.Error(err)
		}
		var errs []error
		for _, err := range mp.Imap(poolCtx(t), p, conformTask, slices.Values(in), mp.FailFast(), mp.Chunk(1)) {
			errs = append(errs, err)
		}
		if len(errs) == 0 || !errors.Is(errs[len(errs)-1], errConform) {
			t.Errorf("%v", errs)
		}
		if v, err := mp.Apply(poolCtx(t), p, conformDouble, 4); v != 8 || err != nil {
			t.Error(v, err)
		}
	})
}

// A call whose ctx has ended does nothing.
func TestPoolsCtxDoneAtEntry(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for name, err := range everyCall(ctx, p, conformTask, []conformIn{{}}) {
			if err != context.Canceled {
				t.Errorf("%s: %v", name, err)
			}
		}
		if st := p.Stats(); st.Done+st.Failed+st.Queued != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// everyCall makes each kind of call, and says what the last error of each is.
func everyCall(ctx context.Context, p *mp.Pool, f *mp.Func[conformIn, int], in []conformIn, opts ...mp.TaskOption) map[string]error {
	errs := make(map[string]error)
	_, errs["Apply"] = mp.Apply(ctx, p, f, in[0], opts...)
	_, errs["ApplyAsync"] = mp.ApplyAsync(ctx, p, f, in[0], opts...).Get(context.Background())
	_, errs["Map"] = mp.Map(ctx, p, f, in, opts...)
	_, errs["MapAsync"] = mp.MapAsync(ctx, p, f, in, opts...).Get(context.Background())
	for _, err := range mp.Imap(ctx, p, f, slices.Values(in), opts...) {
		errs["Imap"] = err
	}
	for _, err := range mp.ImapUnordered(ctx, p, f, slices.Values(in), opts...) {
		errs["ImapUnordered"] = err
	}
	for o := range mp.Outcomes(ctx, p, f, slices.Values(in), opts...) {
		errs["Outcomes"] = o.Err
	}
	return errs
}

// A call whose ctx ends meanwhile returns at once, with ctx's own error.
func TestPoolsCtxEnds(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1, Grace: 20 * time.Millisecond})
		for _, how := range []string{"", "deaf"} {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
			defer cancel()
			in := []conformIn{newGate(t).task(how, 1)}
			for name, err := range everyCall(ctx, p, conformTask, append(in, in...)) {
				if !errors.Is(err, context.DeadlineExceeded) { // a loop may get that of the last task
					t.Errorf("%s: %v", name, err)
				}
			}
			for _, cause := range []string{"Apply", "Map", "Get", "Imap"} {
				g := newGate(t)
				ctx, cancel := context.WithCancel(context.Background())
				go func() {
					g.begun(t)
					cancel()
				}()
				var err error
				switch cause {
				case "Apply":
					_, err = mp.Apply(ctx, p, conformTask, g.task(how, 1))
				case "Map":
					_, err = mp.Map(ctx, p, conformTask, []conformIn{g.task(how, 1), {}})
				case "Get":
					_, err = mp.ApplyAsync(ctx, p, conformTask, g.task(how, 1)).Get(context.Background())
				case "Imap":
					for _, err = range mp.Imap(ctx, p, conformTask, slices.Values([]conformIn{g.task(how, 1)})) {
					}
				}
				if err != context.Canceled {
					t.Errorf("%s %s: %v", cause, how, err)
				}
			}
		}
		if v, err := mp.Apply(poolCtx(t), p, conformDouble, 4); v != 8 || err != nil {
			t.Error(v, err)
		}
	})
}

func TestPoolsMisuse(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 1})
		for i, o := range []mp.TaskOption{mp.Timeout(-1), mp.Retries(-1, mp.Backoff{}), mp.Chunk(0), mp.Window(0), mp.Capture(-1)} {
			for name, err := range everyCall(poolCtx(t), p, conformTask, []conformIn{{}}, o) {
				if err == nil || !strings.HasPrefix(err.Error(), "mp: ") {
					t.Errorf("%s, option %d: %v", name, i, err)
				}
			}
		}
		for name, err := range everyCall(poolCtx(t), p, nil, []conformIn{{}}) {
			if err == nil || !strings.Contains(err.Error(), "nil") {
				t.Errorf("%s of nil: %v", name, err)
			}
		}
		for name, err := range everyCall(poolCtx(t), nil, conformTask, []conformIn{{}}) {
			if !errors.Is(err, mp.ErrClosed) || !strings.Contains(err.Error(), "nil") {
				t.Errorf("%s of a nil pool: %v", name, err)
			}
		}
		for _, n := range []int{0, -1, 10_001} {
			if err := p.Resize(n); err == nil || !strings.Contains(err.Error(), fmt.Sprint(n)) {
				t.Errorf("Resize(%d): %v", n, err)
			}
		}
	})
}

// Init runs once in each worker, and its failure is that of the pool.
func TestPoolsInit(t *testing.T) {
	t.Parallel()
	for name, kind := range poolKinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, is := range map[string]func(err error) bool{
				"fails":  func(err error) bool { return errors.Is(err, errConform) },
				"panics": func(err error) bool { return strings.Contains(err.Error(), "a task has panicked") },
				"exits":  func(err error) bool { return strings.Contains(err.Error(), "runtime.Goexit") },
			} {
				p, err := kind(mp.PoolConfig{Workers: 2, Init: mp.Bind(conformTask, conformIn{How: how})})
				if p != nil || err == nil || !is(err) || !strings.HasPrefix(err.Error(), "mp: NewPool: ") {
					t.Errorf("%s: %v", how, err)
				}
			}
			began := time.Now()
			p, err := kind(mp.PoolConfig{Workers: 2, StartTimeout: 200 * time.Millisecond, Init: mp.Bind(conformTask, newGate(t).task("deaf", 0))})
			if took := time.Since(began); p != nil || err == nil || took < 200*time.Millisecond || took > testkit.Within(time.Second) {
				t.Errorf("%v after %v", err, took)
			}
			p = made(t, kind, mp.PoolConfig{Workers: 2, Init: mp.Bind(conformDouble, 1), TasksPerWorker: 3})
			if out, err := mp.Map(poolCtx(t), p, conformDouble, upTo(20)); err != nil || !slices.Equal(out, doubles(20)) {
				t.Error(out, err)
			}
		})
	}
}

// A callback that panics or ends its goroutine is told by Join, and stops no other.
func TestPoolsCallbacksThatMisbehave(t *testing.T) {
	onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
		p := make(mp.PoolConfig{Workers: 2})
		var called atomic.Int64
		for i := range 10 {
			mp.ApplyAsync(poolCtx(t), p, conformDouble, i).OnDone(func(v int, err error) {
				if called.Add(1); v == 4 {
					panic("in a callback")
				}
			})
		}
		p.Close()
		if err := p.Join(poolCtx(t)); err == nil || !strings.Contains(err.Error(), "in a callback") || called.Load() != 10 {
			t.Errorf("%d calls, %v", called.Load(), err)
		}
	})
}
