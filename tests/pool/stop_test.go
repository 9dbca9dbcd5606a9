//go:build unix

package pool_test

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
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// stopIn says how a task passes its time; those that never end say in File
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
	testkit.Until(t, "the task is begun", func() bool { _, err := os.Stat(in.File); return err == nil })
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
				p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: grace, Procs: procs})
				start := time.Now()
				_, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{How: how}, mp.Timeout(100*time.Millisecond))
				took := time.Since(start)
				var late *mp.TimeoutError
				if !errors.As(err, &late) || late.After != 100*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("%v after %v", err, took)
				}
				if took < 100*time.Millisecond || took > testkit.Within(time.Second) {
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
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 10 * time.Second})
	v, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{How: "late", N: 7}, mp.Timeout(30*time.Millisecond))
	if v != 7 || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}

// What was sent to the same worker behind a task that is killed runs elsewhere,
// and the neighbour does not notice.
func TestStopNeighbours(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 2, Grace: 20 * time.Millisecond})
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
	testkit.Beside(t)
	for _, how := range []string{"asks", "loops", "sleeps", "blocks"} {
		t.Run(how, func(t *testing.T) {
			testkit.Beside(t)
			p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 20 * time.Millisecond})
			in := stopIn{How: how, File: stopFile(t)}
			r := mp.ApplyAsync(context.Background(), p, stopTask, in)
			stopBegun(t, in)
			start := time.Now()
			r.Cancel()
			if !r.Ready() || !errors.Is(r.Err(), mp.ErrCancelled) {
				t.Errorf("ready %v, %v", r.Ready(), r.Err())
			}
			if d := time.Since(start); d > testkit.Within(100*time.Millisecond) {
				t.Errorf("Cancel took %v", d)
			}
			if v, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{N: 5}); v != 5 || err != nil {
				t.Errorf("then %v, %v", v, err)
			}
		})
	}
}

// A stopped worker is killed at its task's deadline, and waits with a ctx end.
func TestStopStoppedWorker(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 50 * time.Millisecond})
	pid, err := mp.Apply(poolCtx(t), p, stopPID, mp.None{})
	if err != nil {
		t.Fatal(err)
	}
	stopProcess(t, pid)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := mp.Apply(ctx, p, stopTask, stopIn{N: 1}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > testkit.Within(time.Second) {
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
	testkit.Until(t, "the process is stopped", func() bool { return testkit.ProcessState(pid) == 'T' })
}

var stopPID = mp.Register("stop/pid", func(context.Context, mp.None) (int, error) { return os.Getpid(), nil })

func TestStopTimeoutIsRetried(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 10 * time.Millisecond})
	_, err := mp.Apply(poolCtx(t), p, stopTask, stopIn{How: "loops"}, mp.Timeout(30*time.Millisecond), mp.Retries(2, mp.Backoff{Min: time.Millisecond}))
	var task *mp.TaskError
	if !errors.As(err, &task) || task.Attempts != 3 || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
