package thread_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// newPool makes a pool of goroutines that is gone when the test is over.
func newPool(t testing.TB, cfg mp.PoolConfig) *mp.Pool {
	t.Helper()
	p, err := thread.NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Terminate()
		if err := p.Join(context.Background()); err != nil {
			t.Errorf("Join: %v", err)
		}
	})
	return p
}

var double = thread.Func(func(_ context.Context, n int) (int, error) { return 2 * n, nil })

// count is the numbers below n.
func count(n int) []int {
	in := make([]int, n)
	for i := range in {
		in[i] = i
	}
	return in
}

// level counts the goroutines inside a section, and the most at once.
type level struct{ now, most atomic.Int64 }

func (l *level) enter() {
	n := l.now.Add(1)
	for most := l.most.Load(); n > most && !l.most.CompareAndSwap(most, n); most = l.most.Load() {
	}
}

func (l *level) leave() { l.now.Add(-1) }

func TestPoolRunsClosures(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 3})
	secret := 7
	add := thread.Func(func(_ context.Context, n int) (int, error) { return n + secret, nil })
	out, err := mp.Map(t.Context(), p, add, count(1000))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if v != i+7 {
			t.Fatalf("%d: %d", i, v)
		}
	}
	if !strings.Contains(add.Name(), "TestPoolRunsClosures") {
		t.Errorf("its name is %q", add.Name())
	}
}

func TestPoolSharesWhatPointersLeadTo(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2})
	type box struct {
		n    int
		news chan int
	}
	same := thread.Func(func(_ context.Context, b *box) (*box, error) {
		b.n++
		return b, nil
	})
	in := &box{news: make(chan int)}
	if out, err := mp.Apply(t.Context(), p, same, in); err != nil || out != in || in.n != 1 {
		t.Error(out, in, err)
	}
}

func TestFuncOfNilPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if v := recover(); !strings.Contains(fmt.Sprint(v), "thread.Func: the function is nil") {
			t.Errorf("%v", v)
		}
	}()
	thread.Func[int, int](nil)
}

// What a process is asked to call it must know by name.
func TestFuncIsForGoroutinesOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no processes")
	}
	says := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, mp.ErrNotRegistered) || !strings.Contains(err.Error(), double.Name()) || !strings.Contains(err.Error(), "closure") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := mp.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(double, 1)}); err == nil {
		t.Error("a process runs a closure")
	} else {
		says("Init", err)
	}
	_, err := mp.Start(t.Context(), double, 1)
	says("Start", err)
	_, err = mp.Call(t.Context(), double, 1)
	says("Call", err)
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Terminate()
	_, err = mp.Apply(t.Context(), p, double, 1)
	says("Apply", err)
	_, err = mp.Map(t.Context(), p, double, []int{1})
	says("Map", err)
	for _, err := range mp.Imap(t.Context(), p, double, slices.Values([]int{1})) {
		says("Imap", err)
	}
	says("ApplyAsync", mp.ApplyAsync(t.Context(), p, double, 1).Err())
}

func TestPoolConfigOfProcessesIsNamed(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]mp.PoolConfig{
		"MaxMemory": {MaxMemory: 1}, "Procs": {Procs: 1}, "Env": {Env: []string{}}, "Dir": {Dir: "/"},
		"Limits": {Limits: mp.Limits{Nice: 1}}, "Stdout": {Stdout: os.Stdout}, "Stderr": {Stderr: os.Stderr},
		"QuietCrash": {QuietCrash: true},
	} {
		p, err := thread.NewPool(cfg)
		if p != nil || err == nil || !strings.Contains(err.Error(), "PoolConfig."+name+" ") || !strings.Contains(err.Error(), "processes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, cfg := range map[string]mp.PoolConfig{
		"Workers": {Workers: -1}, "TasksPerWorker": {TasksPerWorker: -1}, "MaxQueued": {MaxQueued: -1}, "MaxResult": {MaxResult: -2},
		"IdleTimeout": {IdleTimeout: -1}, "StartTimeout": {StartTimeout: -1}, "Grace": {Grace: -2},
	} {
		if _, err := thread.NewPool(cfg); err == nil || !strings.Contains(err.Error(), "PoolConfig."+name+" is negative") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := thread.NewPool(mp.PoolConfig{Workers: 10_001}); err == nil || !strings.Contains(err.Error(), "Workers") {
		t.Error(err)
	}
	if _, err := thread.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind[int, int](nil, 1)}); err == nil || !strings.Contains(err.Error(), "Init") {
		t.Error(err)
	}
}

func TestCaptureIsAnErrorOfTheCall(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	n := 0
	for o := range mp.Outcomes(t.Context(), p, double, slices.Values([]int{1, 2}), mp.Capture(0)) {
		if n++; o.Index != -1 || o.Err == nil || !strings.Contains(o.Err.Error(), "Capture") {
			t.Errorf("%+v", o)
		}
	}
	if n != 1 {
		t.Errorf("%d outcomes", n)
	}
	for o := range mp.Outcomes(t.Context(), p, double, slices.Values([]int{1})) {
		if o.Out != 2 || o.Err != nil {
			t.Errorf("then %+v", o)
		}
	}
}

func TestCurrentTaskOfGoroutines(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2})
	look := thread.Func(func(ctx context.Context, _ int) (mp.TaskInfo, error) {
		info, ok := mp.CurrentTask(context.WithValue(ctx, &level{}, 1))
		if !ok {
			return info, errors.New("no task")
		}
		if info.Attempt == 1 && info.Index == 3 {
			return info, errors.New("again")
		}
		return info, nil
	})
	out, err := mp.Map(t.Context(), p, look, count(100), mp.Retries(1, mp.Backoff{Min: time.Microsecond}))
	if err != nil {
		t.Fatal(err)
	}
	for i, info := range out {
		want := mp.TaskInfo{Func: look.Name(), Index: i, Attempt: 1, Worker: info.Worker}
		if i == 3 {
			want.Attempt = 2
		}
		if info != want || info.Worker < 1 || info.Worker > 2 {
			t.Errorf("task %d: %+v", i, info)
		}
	}
	if _, ok := mp.CurrentTask(t.Context()); ok {
		t.Error("this is no task")
	}
}

func TestOutcomesMeasureGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 2})
		pass := thread.Func(func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(n) * time.Second)
			if n == 3 {
				return 0, errWork
			}
			return -n, nil
		})
		seen := make(map[int]bool)
		for o := range mp.Outcomes(t.Context(), p, pass, slices.Values(count(6))) {
			if seen[o.Index] = true; o.In != o.Index || o.Wall != time.Duration(o.In)*time.Second || o.Attempts != 1 || o.PID != os.Getpid() {
				t.Errorf("%+v", o)
			}
			if o.CPU != 0 || o.MaxMemory != 0 || o.Stdout != nil || o.Stderr != nil {
				t.Errorf("%+v", o)
			}
			var task *mp.TaskError
			if o.In != 3 && (o.Err != nil || o.Out != -o.In) || o.In == 3 && (!errors.As(o.Err, &task) || task.Err != errWork || task.Index != 3) {
				t.Errorf("%+v", o)
			}
		}
		if len(seen) != 6 {
			t.Errorf("%d outcomes", len(seen))
		}
	})
}

// What has ended is told, though a later item of what was handed over together takes long.
func TestResultsDoNotWaitForTheRestOfTheirChunk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cfg mp.PoolConfig
		opt mp.TaskOption
	}{
		"plain": {}, "with events": {cfg: mp.PoolConfig{Events: func(mp.PoolEvent) {}}}, "with a timeout": {opt: mp.Timeout(2 * time.Hour)},
		"with retries": {opt: mp.Retries(1, mp.Backoff{})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c.cfg.Workers = 1
				p := newPool(t, c.cfg)
				last := thread.Func(func(_ context.Context, n int) (int, error) {
					if n == 9 {
						time.Sleep(time.Hour)
					}
					return n, nil
				})
				began, told := time.Now(), time.Duration(-1)
				r := mp.MapAsync(t.Context(), p, last, count(10), mp.Chunk(10), c.opt, mp.Progress(func(done, _ int) {
					if done == 9 {
						told = time.Since(began)
					}
				}))
				time.Sleep(time.Second)
				synctest.Wait()
				if told < 0 || told > time.Millisecond {
					t.Errorf("after %v", told)
				}
				if _, err := r.Get(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestPoolOfManyWorkers(t *testing.T) {
	workers := 500
	if os.Getenv("MP_LONG") != "" {
		workers = 10_000
	}
	p := newPool(t, mp.PoolConfig{Workers: workers})
	var in sync.WaitGroup
	in.Add(workers)
	open := make(chan struct{})
	meet := thread.Func(func(_ context.Context, n int) (int, error) {
		in.Done()
		<-open
		return n, nil
	})
	r := mp.MapAsync(t.Context(), p, meet, count(workers), mp.Chunk(1))
	in.Wait() // all of them at once
	close(open)
	if out, err := r.Get(t.Context()); err != nil || !slices.Equal(out, count(workers)) {
		t.Error(err)
	}
}

// What was taken back from a worker while it was handed over may be done, and given to the loop, before
// the worker looks at what is left for it.
func TestLoopsWhileTasksAreTakenBack(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 8})
	for range 100 {
		n := 0
		for o := range mp.Outcomes(t.Context(), p, double, slices.Values(count(500)), mp.Window(400)) {
			if n++; o.Err != nil || o.Out != 2*o.In {
				t.Fatalf("%+v", o)
			}
		}
		if n != 500 {
			t.Fatalf("%d outcomes", n)
		}
	}
}
