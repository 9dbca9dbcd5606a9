//go:build unix

package mp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

var optionsKeep [][]byte

var optionsEat = mp.Register("options/eat", func(ctx context.Context, n int) (int, error) {
	for ; n > 0; n -= 1 << 20 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		optionsKeep = append(optionsKeep, b)
	}
	if len(optionsKeep) > 50 {
		<-ctx.Done() // the parent looks every 20 ms
	}
	optionsKeep = nil
	return 1, nil
})

func TestOptionsMaxMemory(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2, MaxMemory: 300 << 20})
	in := make([]int, 40)
	in[7], in[23] = 2<<30, 2<<30
	out, err := mp.Map(poolCtx(t), p, optionsEat, in)
	errs := mapErrs(t, err)
	if len(errs) != 2 || !errors.Is(errs[7], mp.ErrMemory) || !errors.Is(errs[23], mp.ErrMemory) {
		t.Fatal(err)
	}
	for i, v := range out {
		if errs[i] == nil && v != 1 {
			t.Errorf("task %d: %d", i, v)
		}
	}
	limit, err := mp.Apply(poolCtx(t), p, optionsLimit, mp.None{})
	if want := int64(300<<20) / 10 * 9; limit != want || err != nil {
		t.Errorf("GOMEMLIMIT %d, %v", limit, err)
	}
}

var optionsLimit = mp.Register("options/limit", func(context.Context, mp.None) (int64, error) {
	return debug.SetMemoryLimit(-1), nil
})

// Memory that is shared does not count.
func TestOptionsMaxMemorySharedMapping(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1, MaxMemory: 150 << 20})
	if v, err := mp.Apply(poolCtx(t), p, optionsMap, filepath.Join(t.TempDir(), "map")); v != 1 || err != nil {
		t.Error(v, err)
	}
}

var optionsMap = mp.Register("options/map", func(_ context.Context, name string) (int, error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	const size = 300 << 20
	f.Truncate(size)
	mem, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return 0, err
	}
	defer syscall.Munmap(mem)
	for i := 0; i < size; i += 4096 {
		mem[i] = 1
	}
	time.Sleep(100 * time.Millisecond) // several looks
	return 1, nil
})

var optionsTries = mp.Register("options/tries", func(ctx context.Context, in stopIn) (int, error) {
	info, _ := mp.CurrentTask(ctx)
	if in.How == "permanent" {
		return 0, mp.Permanent(errors.New("never"))
	}
	if info.Attempt < in.N {
		switch in.How {
		case "dies":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		case "panics":
			panic("again")
		case "fails":
			return 0, errors.New("again")
		}
	}
	return info.Attempt, nil
})

func TestOptionsRetries(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	quick := mp.Backoff{Min: time.Millisecond, Max: 2 * time.Millisecond}
	for _, how := range []string{"dies", "panics", "fails"} {
		if v, err := mp.Apply(poolCtx(t), p, optionsTries, stopIn{How: how, N: 4}, mp.Retries(3, quick)); v != 4 || err != nil {
			t.Errorf("%s: %v, %v", how, v, err)
		}
		_, err := mp.Apply(poolCtx(t), p, optionsTries, stopIn{How: how, N: 5}, mp.Retries(3, quick))
		var task *mp.TaskError
		if !errors.As(err, &task) || task.Attempts != 4 {
			t.Errorf("%s: %v", how, err)
		}
	}
	_, err := mp.Apply(poolCtx(t), p, optionsTries, stopIn{How: "permanent"}, mp.Retries(3, quick))
	var task *mp.TaskError
	if !errors.As(err, &task) || task.Attempts != 1 || !strings.Contains(err.Error(), "never") {
		t.Error(err)
	}
}

func TestOptionsPriority(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	gate := filepath.Join(t.TempDir(), "gate")
	first := mp.ApplyAsync(context.Background(), p, optionsGate, gate)
	var mu sync.Mutex
	var order []int
	var rs []*mp.Result[int]
	for i := range 30 {
		r := mp.ApplyAsync(context.Background(), p, poolValuesInt, i, mp.Priority(i%3))
		r.OnDone(func(v int, _ error) {
			mu.Lock()
			order = append(order, -v)
			mu.Unlock()
		})
		rs = append(rs, r)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rs = append(rs, first)
	mp.Wait(poolCtx(t), mp.AllDone, rs...)
	p.Close()
	if err := p.Join(poolCtx(t)); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(order)
	slices.SortStableFunc(want, func(a, b int) int { return b%3 - a%3 })
	if !slices.Equal(order, want) || len(order) != 30 {
		t.Errorf("%v", order)
	}
}

var optionsGate = mp.Register("options/gate", func(ctx context.Context, name string) (int, error) {
	for ctx.Err() == nil {
		if _, err := os.Stat(name); err == nil {
			return 0, nil
		}
		time.Sleep(time.Millisecond)
	}
	return 0, ctx.Err()
})

func TestOptionsResize(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	var wg sync.WaitGroup
	wg.Go(func() {
		in := make([]time.Duration, 600)
		for i := range in {
			in[i] = 500 * time.Microsecond
		}
		if _, err := mp.Map(poolCtx(t), p, fairSleep, in); err != nil {
			t.Error(err)
		}
	})
	for _, n := range []int{4, 2, 3, 1, 5, 2} {
		if err := p.Resize(n); err != nil {
			t.Error(err)
		}
		until(t, "there are as many workers", func() bool { return len(p.Stats().Workers) == n })
	}
	wg.Wait()
	if p.Resize(0) == nil {
		t.Error("a pool of none")
	}
	if n := p.Stats().Restarts; n != 0 {
		t.Errorf("%d restarts", n)
	}
}

func TestOptionsTasksPerWorker(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2, TasksPerWorker: 7})
	pids, err := mp.Map(poolCtx(t), p, stopPID, make([]mp.None, 100))
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[int]int)
	for _, pid := range pids {
		count[pid]++
	}
	for pid, n := range count {
		if n > 7 {
			t.Errorf("worker %d had %d tasks", pid, n)
		}
	}
}

func TestOptionsIdleTimeout(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2, IdleTimeout: 20 * time.Millisecond})
	for range 3 {
		if v, err := mp.Apply(poolCtx(t), p, poolValuesInt, 1); v != -1 || err != nil {
			t.Error(v, err)
		}
		until(t, "nobody is idle any more", func() bool { return len(p.Stats().Workers) == 0 })
	}
}

var optionsState string

var optionsInit = mp.Register("options/init", func(_ context.Context, file string) (mp.None, error) {
	text, err := os.ReadFile(file)
	optionsState = string(text)
	return mp.None{}, err
})
var optionsAsk = mp.Register("options/ask", func(context.Context, mp.None) (string, error) { return optionsState, nil })

func TestOptionsInit(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "init")
	cfg := mp.PoolConfig{Workers: 1, Init: mp.Bind(optionsInit, file)}
	if _, err := mp.NewPool(cfg); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("NewPool: %v", err)
	}
	if err := os.WriteFile(file, []byte("state"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPool(t, cfg)
	if s, err := mp.Apply(poolCtx(t), p, optionsAsk, mp.None{}); s != "state" || err != nil {
		t.Error(s, err)
	}
	os.Remove(file)
	mp.Apply(poolCtx(t), p, killNth, -1)
	_, err := mp.Apply(poolCtx(t), p, optionsAsk, mp.None{})
	if !errors.Is(err, mp.ErrBroken) || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestOptionsStartTimeout(t *testing.T) {
	t.Parallel()
	start := time.Now()
	_, err := mp.NewPool(mp.PoolConfig{Workers: 2, StartTimeout: 100 * time.Millisecond, Init: mp.Bind(stopTask, stopIn{How: "loops"})})
	if err == nil || !strings.Contains(err.Error(), "StartTimeout") || time.Since(start) > 3*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

var optionsWorld = mp.Register("options/world", func(context.Context, mp.None) ([]string, error) {
	dir, err := os.Getwd()
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return append(os.Environ(), dir, fmt.Sprint(runtime.GOMAXPROCS(0)), fmt.Sprint(limit.Cur)), err
})

func TestOptionsEnvDirProcsLimits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := newPool(t, mp.PoolConfig{Workers: 1, Env: []string{"A=b"}, Dir: dir, Procs: 3, Limits: mp.Limits{OpenFiles: 77}})
	got, err := mp.Apply(poolCtx(t), p, optionsWorld, mp.None{})
	for _, want := range []string{"A=b", dir, "3", "77"} {
		if !slices.Contains(got, want) || err != nil {
			t.Errorf("%q is not in %q, %v", want, got, err)
		}
	}
	for _, v := range got {
		if strings.HasPrefix(v, "PATH=") || strings.HasPrefix(v, "MP_") {
			t.Errorf("%s", v)
		}
	}
}

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
	p := newPool(t, mp.PoolConfig{Workers: 2, Stdout: &out, Stderr: &errOut})
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

func TestOptionsEventsInOrder(t *testing.T) {
	t.Parallel()
	var events []mp.PoolEvent
	p, err := mp.NewPool(mp.PoolConfig{Workers: 2, Events: func(e mp.PoolEvent) { events = append(events, e) }})
	if err != nil {
		t.Fatal(err)
	}
	n := 500
	mp.Map(poolCtx(t), p, killKinds, killInputs(n), mp.Retries(1, mp.Backoff{Min: time.Millisecond}))
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Fatal(err)
	}
	history := make([]string, n)
	workers := make(map[int]mp.EventKind)
	var last time.Time
	for _, e := range events {
		if e.Time.Before(last) {
			t.Errorf("%v goes back in time", e)
		}
		last = e.Time
		if e.Index >= 0 {
			history[e.Index] += fmt.Sprintf("%v %d,", strings.TrimPrefix(e.Kind.String(), "task "), e.Attempt)
			continue
		}
		before := workers[e.Worker]
		switch e.Kind {
		case mp.WorkerStarted:
			if before == mp.WorkerStarted || before == mp.WorkerReady {
				t.Errorf("worker %d started after %v", e.Worker, before)
			}
		case mp.WorkerReady:
			if before != mp.WorkerStarted {
				t.Errorf("worker %d ready after %v", e.Worker, before)
			}
		}
		workers[e.Worker] = e.Kind
	}
	for i, h := range history {
		want := "queued 1,started 1,done 1,"
		if kindOf(i) != killOK {
			want = "queued 1,started 1,retried 1,started 2,failed 2,"
		}
		if strings.ReplaceAll(h, "started 1,started 1,", "started 1,") != want {
			t.Errorf("task %d: %s", i, h)
		}
	}
	for n, kind := range workers {
		if kind != mp.WorkerRecycled && kind != mp.WorkerDied {
			t.Errorf("worker %d: at last %v", n, kind)
		}
	}
}

func TestOptionsMaxQueued(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1, MaxQueued: 3, Grace: 10 * time.Millisecond})
	in := stopIn{How: "asks", File: stopFile(t)}
	running := mp.ApplyAsync(context.Background(), p, stopTask, in)
	stopBegun(t, in)
	for range 3 {
		mp.ApplyAsync(context.Background(), p, stopTask, stopIn{})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := mp.ApplyAsync(ctx, p, stopTask, stopIn{}).Err(); err != context.DeadlineExceeded {
		t.Error(err)
	}
	more := make(chan *mp.Result[int])
	go func() { more <- mp.ApplyAsync(context.Background(), p, stopTask, stopIn{N: 4}) }()
	running.Cancel()
	if v, err := (<-more).Get(poolCtx(t)); v != 4 || err != nil {
		t.Error(v, err)
	}
}

func TestOptionsMisuse(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	ctx := poolCtx(t)
	for _, o := range []mp.TaskOption{mp.Timeout(-1), mp.Retries(-1, mp.Backoff{}), mp.Chunk(0), mp.Window(0), mp.Capture(-1)} {
		if _, err := mp.Apply(ctx, p, poolValuesInt, 1, o); err == nil || !strings.HasPrefix(err.Error(), "mp: ") {
			t.Errorf("Apply: %v", err)
		}
		for _, err := range mp.Imap(ctx, p, poolValuesInt, streamCount(1), o) {
			if err == nil {
				t.Error("Imap: no error")
			}
		}
	}
	for _, cfg := range []mp.PoolConfig{{Workers: -1}, {TasksPerWorker: -1}, {MaxMemory: -1}, {MaxResult: -2}, {Grace: -1}, {Dir: "/does/not/exist", Workers: 1}} {
		if _, err := mp.NewPool(cfg); err == nil {
			t.Errorf("%+v", cfg)
		}
	}
	var nobody *mp.Func[int, int]
	if _, err := mp.Apply(ctx, p, nobody, 1); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Error(err)
	}
	if _, err := mp.Map(ctx, p, optionsChan, []chan int{nil}); err == nil || !strings.Contains(err.Error(), "chan") {
		t.Error(err)
	}
}

var optionsChan = mp.Register("options/chan", func(context.Context, chan int) (int, error) { return 0, nil })
