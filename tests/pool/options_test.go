//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

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
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
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
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	gate := filepath.Join(t.TempDir(), "gate")
	first := mp.ApplyAsync(context.Background(), p, optionsGate, gate)
	testkit.Until(t, "the gate is closed", first.Running)
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
		// A worker that dies may have been about to begin others, which are begun again.
		if strings.Join(slices.Compact(strings.Split(h, ",")), ",") != want {
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
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, MaxQueued: 3, Grace: 10 * time.Millisecond})
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
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
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
	for _, cfg := range []mp.PoolConfig{{Workers: -1}, {TasksPerWorker: -1}, {MaxMemory: -1}, {MaxResult: -2}, {Grace: -2}, {Dir: "/does/not/exist", Workers: 1}} {
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
