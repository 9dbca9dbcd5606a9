//go:build unix

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// stopIn says how a task passes its time; those that run for ever say in File
// that they were begun.
type stopIn struct {
	How  string
	File string
	N    int
	For  time.Duration
}

var stopTask = mp.Register("stop/task", stopWork)

func stopWork(ctx context.Context, in stopIn) (int, error) {
	if in.File != "" {
		if err := os.WriteFile(in.File, nil, 0o600); err != nil {
			return 0, err
		}
	}
	switch in.How {
	case "asks":
		<-ctx.Done()
		return 0, ctx.Err()
	case "late": // has a value after all
		<-ctx.Done()
		return in.N, nil
	case "loops":
		stopLoopForEver()
	case "sleeps":
		time.Sleep(time.Hour)
	case "blocks": // as in cgo: a thread in the kernel
		var fds [2]int
		syscall.Pipe(fds[:])
		syscall.Read(fds[0], make([]byte, 1))
	case "waits": // as long as it is allowed to
		select {
		case <-time.After(in.For):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return in.N, nil
}

//go:noinline
func stopLoopForEver() {
	//lint:ignore SA5002 it never ends
	for {
	}
}

func stopBegun(t *testing.T, in stopIn) {
	t.Helper()
	until(t, "the task is begun", func() bool { _, err := os.Stat(in.File); return err == nil })
}

func stopFile(t *testing.T) string { return t.TempDir() + "/begun" }

func TestStopTimeout(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"asks", "loops", "sleeps", "blocks"} {
		for _, procs := range []int{0, 1} {
			t.Run(fmt.Sprint(how, procs), func(t *testing.T) {
				t.Parallel()
				grace := 50 * time.Millisecond
				if how == "asks" {
					grace = time.Minute // it answers, however busy the machine is
				}
				p := newPool(t, mp.PoolConfig{Workers: 1, Grace: grace, Procs: procs})
				start := time.Now()
				_, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{How: how}, mp.Timeout(100*time.Millisecond))
				took := time.Since(start)
				var late *mp.TimeoutError
				if !errors.As(err, &late) || late.After != 100*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("%v after %v", err, took)
				}
				if took < 100*time.Millisecond || took > within(time.Second) {
					t.Errorf("after %v", took)
				}
				// It has 50 ms to say where it is, on a machine that is busy with other tests.
				for end := time.Now().Add(20 * time.Second); late.Stack == "" && how != "asks" && time.Now().Before(end); {
					_, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{How: how}, mp.Timeout(50*time.Millisecond))
					if !errors.As(err, &late) {
						t.Fatal(err)
					}
				}
				if want := map[string]string{"loops": "stopLoopForEver", "sleeps": "stopWork", "blocks": "stopWork"}[how]; !strings.Contains(late.Stack, want) {
					t.Errorf("the stack is %q", late.Stack)
				}
				if v, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{N: 5}); v != 5 || err != nil {
					t.Errorf("then %v, %v", v, err)
				}
				if restarts := p.Stats().Restarts; (restarts == 0) != (how == "asks") {
					t.Errorf("%d restarts", restarts)
				}
			})
		}
	}
}

func TestStopKeepsValueOfGrace(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1, Grace: 10 * time.Second})
	v, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{How: "late", N: 7}, mp.Timeout(30*time.Millisecond))
	if v != 7 || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}

// What was sent to the same worker behind a task that is killed runs elsewhere,
// and the neighbour does not notice.
func TestStopNeighbours(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 2, Grace: 20 * time.Millisecond})
	in := make([]stopIn, 400)
	for i := range in {
		in[i] = stopIn{N: i}
	}
	in[100].How, in[200].How, in[201].How, in[399].How = "loops", "sleeps", "loops", "asks"
	out, err := mp.Map(poolCtx(t), p, stopTask, in, mp.Timeout(2*time.Second)) // the others need none of it
	errs := mapErrs(t, err)
	for i, v := range out {
		if in[i].How == "" && (v != i || errs[i] != nil) {
			t.Errorf("task %d: %v, %v", i, v, errs[i])
		}
		if in[i].How != "" && !errors.Is(errs[i], context.DeadlineExceeded) {
			t.Errorf("task %d: %v", i, errs[i])
		}
	}
}

func TestStopCancel(t *testing.T) {
	beside(t)
	for _, how := range []string{"asks", "loops", "sleeps", "blocks"} {
		t.Run(how, func(t *testing.T) {
			beside(t)
			p := newPool(t, mp.PoolConfig{Workers: 1, Grace: 20 * time.Millisecond})
			in := stopIn{How: how, File: stopFile(t)}
			r := mp.ApplyAsync(context.Background(), p, stopTask, in)
			stopBegun(t, in)
			start := time.Now()
			r.Cancel()
			if !r.Ready() || !errors.Is(r.Err(), mp.ErrCancelled) {
				t.Errorf("ready %v, %v", r.Ready(), r.Err())
			}
			if d := time.Since(start); d > within(100*time.Millisecond) {
				t.Errorf("Cancel took %v", d)
			}
			if v, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{N: 5}); v != 5 || err != nil {
				t.Errorf("then %v, %v", v, err)
			}
		})
	}
}

// A call whose ctx ends returns at once, whatever its tasks do.
func TestStopCtxEnds(t *testing.T) {
	beside(t)
	calls := map[string]func(ctx context.Context, p *mp.Pool, in stopIn) error{
		"Apply": func(ctx context.Context, p *mp.Pool, in stopIn) error {
			_, err := mp.Apply(ctx, p, stopTask, in)
			return err
		},
		"Map": func(ctx context.Context, p *mp.Pool, in stopIn) error {
			_, err := mp.Map(ctx, p, stopTask, []stopIn{in, in, in})
			return err
		},
		"Imap": func(ctx context.Context, p *mp.Pool, in stopIn) (err error) {
			for _, err = range mp.Imap(ctx, p, stopTask, forEver(in)) {
			}
			return err
		},
		"Outcomes": func(ctx context.Context, p *mp.Pool, in stopIn) (err error) {
			for o := range mp.Outcomes(ctx, p, stopTask, forEver(in)) {
				err = o.Err
			}
			return err
		},
		"ApplyAsync": func(ctx context.Context, p *mp.Pool, in stopIn) error {
			_, err := mp.ApplyAsync(ctx, p, stopTask, in).Get(context.Background())
			return err
		},
		"MapAsync": func(ctx context.Context, p *mp.Pool, in stopIn) error {
			_, err := mp.MapAsync(ctx, p, stopTask, []stopIn{in, in, in}).Get(context.Background())
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			beside(t)
			p := newPool(t, mp.PoolConfig{Workers: 1, Grace: 100 * time.Millisecond})
			late, err := stopCtx(t, func(ctx context.Context, in stopIn) error { return call(ctx, p, in) }, "loops")
			if !errors.Is(err, context.Canceled) || late > within(100*time.Millisecond) {
				t.Errorf("%v, %v late", err, late)
			}
			// Nor does it wait for the end of the grace.
			patient := newPool(t, mp.PoolConfig{Workers: 1, Grace: time.Hour})
			late, err = stopCtx(t, func(ctx context.Context, in stopIn) error { return call(ctx, patient, in) }, "sleeps")
			if !errors.Is(err, context.Canceled) || late > within(100*time.Millisecond) {
				t.Errorf("%v, %v late", err, late)
			}
			if v, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{N: 5}); v != 5 || err != nil {
				t.Errorf("then %v, %v", v, err)
			}
		})
	}
}

// stopCtx ends the ctx of a call when its task is begun, and says how much later it returned.
func stopCtx(t *testing.T, call func(context.Context, stopIn) error, how string) (late time.Duration, err error) {
	t.Helper()
	in := stopIn{How: how, File: stopFile(t)}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	returned := make(chan error, 1)
	go func() { returned <- call(ctx, in) }()
	stopBegun(t, in)
	ended := time.Now()
	cancel()
	select {
	case err = <-returned:
	case <-time.After(time.Minute):
		t.Fatal("the call does not return")
	}
	return time.Since(ended), err
}

func forEver[T any](v T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for yield(v) {
		}
	}
}

func TestStopCtxDoneAtEntry(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in := stopIn{File: stopFile(t)}
	if _, err := mp.Apply(ctx, p, stopTask, in); err != context.Canceled {
		t.Error(err)
	}
	if _, err := mp.Map(ctx, p, stopTask, []stopIn{in}); err != context.Canceled {
		t.Error(err)
	}
	if err := mp.ApplyAsync(ctx, p, stopTask, in).Err(); err != context.Canceled {
		t.Error(err)
	}
	n := 0
	for _, err := range mp.Imap(ctx, p, stopTask, forEver(in)) {
		if n++; err != context.Canceled {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d yields", n)
	}
	if _, err := os.Stat(in.File); err == nil {
		t.Error("a task was begun")
	}
	if st := p.Stats(); st.Done+st.Failed != 0 {
		t.Errorf("%+v", st)
	}
}

// A stopped worker is killed at its task's deadline, and waits with a ctx end.
func TestStopStoppedWorker(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1, Grace: 50 * time.Millisecond})
	pid, err := mp.Apply(poolCtx(t), p, stopPID, mp.None{})
	if err != nil {
		t.Fatal(err)
	}
	stopProcess(t, pid)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := mp.Apply(ctx, p, stopTask, stopIn{N: 1}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > within(time.Second) {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	// The next one finds the same worker stopped, and another when its time is over.
	if v, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{N: 2}, mp.Timeout(time.Second)); v != 2 || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	in := stopIn{How: "waits", For: time.Hour, File: stopFile(t)}
	r := mp.ApplyAsync(context.Background(), p, stopTask, in, mp.Timeout(2*time.Second)) // enough to stop it
	stopBegun(t, in)
	workers := workerPIDs(p)
	if len(workers) != 1 {
		t.Fatalf("workers %v", workers)
	}
	stopProcess(t, workers[0])
	var late *mp.TimeoutError
	if _, err := r.Get(poolCtx(t)); !errors.As(err, &late) {
		t.Errorf("stopped while it runs: %v", err)
	}
}

// stopProcess returns when the process is stopped.
func stopProcess(t *testing.T, pid int) {
	t.Helper()
	syscall.Kill(pid, syscall.SIGSTOP)
	until(t, "the process is stopped", func() bool {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return strings.Contains(string(stat), ") T ")
	})
}

var stopPID = mp.Register("stop/pid", func(context.Context, mp.None) (int, error) { return os.Getpid(), nil })

type stopSeen struct {
	Deadline time.Duration // from now
	Has      bool
	Value    bool
	Info     mp.TaskInfo
	InTask   bool
}

type stopKey struct{}

var stopLook = mp.Register("stop/look", func(ctx context.Context, _ int) (stopSeen, error) {
	var s stopSeen
	var d time.Time
	if d, s.Has = ctx.Deadline(); s.Has {
		s.Deadline = time.Until(d)
	}
	s.Value = ctx.Value(stopKey{}) != nil
	s.Info, s.InTask = mp.CurrentTask(context.WithValue(ctx, stopKey{}, 1))
	return s, nil
})

func TestStopTaskCtx(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	parent := context.WithValue(context.Background(), stopKey{}, 1)
	s, err := mp.Apply(parent, p, stopLook, 0)
	if err != nil || s.Has || s.Value || !s.InTask || s.Info != (mp.TaskInfo{Func: "stop/look", Index: 0, Attempt: 1, Worker: 1}) {
		t.Errorf("%+v, %v", s, err)
	}
	near := func(d, want time.Duration) bool { return d <= want && d > want-30*time.Second }
	hour, cancel := context.WithTimeout(parent, time.Hour)
	defer cancel()
	if s, err := mp.Apply(hour, p, stopLook, 0); err != nil || !near(s.Deadline, time.Hour) {
		t.Errorf("ctx: %+v, %v", s, err)
	}
	if s, err := mp.Apply(hour, p, stopLook, 0, mp.Timeout(time.Minute)); err != nil || !near(s.Deadline, time.Minute) {
		t.Errorf("Timeout is earlier: %+v, %v", s, err)
	}
	if s, err := mp.Apply(hour, p, stopLook, 0, mp.Timeout(2*time.Hour)); err != nil || !near(s.Deadline, time.Hour) {
		t.Errorf("ctx is earlier: %+v, %v", s, err)
	}
	all, err := mp.Map(parent, p, stopLook, make([]int, 100))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range all {
		if s.Info.Index != i {
			t.Errorf("task %d: %+v", i, s.Info)
		}
	}
	if _, ok := mp.CurrentTask(context.Background()); ok {
		t.Error("this is no task")
	}
}

// A cancel is for one task: the next ones in the same worker do not see it.
func TestStopCancelHitsOneTask(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1})
	for i := range times(80, 800) {
		r := mp.ApplyAsync(context.Background(), p, stopTask, stopIn{How: "waits", For: time.Duration(i%5) * 20 * time.Microsecond})
		next := mp.ApplyAsync(context.Background(), p, stopCtxErr, i)
		third := mp.ApplyAsync(context.Background(), p, stopCtxErr, i)
		r.Cancel()
		for _, r := range []*mp.Result[int]{next, third} {
			if v, err := r.Get(poolCtx(t)); v != i || err != nil {
				t.Fatalf("round %d: %v, %v", i, v, err)
			}
		}
	}
}

var stopCtxErr = mp.Register("stop/ctxerr", func(ctx context.Context, n int) (int, error) {
	for range 20 {
		if ctx.Err() != nil {
			return 0, fmt.Errorf("my ctx: %w", ctx.Err())
		}
		time.Sleep(5 * time.Microsecond)
	}
	return n, nil
})

func TestStopTimeoutIsRetried(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1, Grace: 10 * time.Millisecond})
	_, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{How: "loops"}, mp.Timeout(30*time.Millisecond), mp.Retries(2, mp.Backoff{Min: time.Millisecond}))
	var task *mp.TaskError
	if !errors.As(err, &task) || task.Attempts != 3 || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
