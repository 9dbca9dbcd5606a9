//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// exitIn says what an Exit or a function of OnExit does, and where it notes it.
type exitIn struct {
	Log string
	How string
}

// exitNote appends a line to a file, at once.
func exitNote(log string, format string, args ...any) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return // the test is over
	}
	defer f.Close()
	fmt.Fprintf(f, format+"\n", args...)
}

func exitLines(log string) []string {
	b, _ := os.ReadFile(log)
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func newExitLog(t *testing.T) string { return t.TempDir() + "/log" }

var exitLife atomic.Value // the ctx of Init, in a worker process

type exitCtx struct{ context.Context }

var (
	exitInit = mp.Register("exit/init", func(ctx context.Context, _ exitIn) (mp.None, error) {
		exitLife.Store(exitCtx{ctx})
		return mp.None{}, ctx.Err()
	})
	exitRun = mp.Register("exit/run", func(ctx context.Context, in exitIn) (mp.None, error) {
		life := "none"
		if c, ok := exitLife.Load().(exitCtx); ok {
			life = fmt.Sprint(c.Err())
		}
		_, bounded := ctx.Deadline()
		exitNote(in.Log, "exit %v %s", bounded, life)
		switch in.How {
		case "fails":
			return mp.None{}, errConform
		case "panics":
			panic("the Exit panics")
		case "exits":
			runtime.Goexit()
		case "hangs": // until the test is over
			for _, err := os.Stat(in.Log); err == nil; _, err = os.Stat(in.Log) {
				time.Sleep(time.Millisecond)
			}
		case "obeys":
			<-ctx.Done()
			exitNote(in.Log, "obeyed")
		case "os.Exit":
			os.Exit(3)
		}
		return mp.None{}, nil
	})
	exitTask = mp.Register("exit/task", func(ctx context.Context, in exitIn) (mp.None, error) {
		for _, name := range []string{"first", "panics", "last"} {
			mp.OnExit(func(ctx context.Context) {
				_, bounded := ctx.Deadline()
				exitNote(in.Log, "on exit %s %v", name, bounded)
				if name == "panics" {
					panic("a function of OnExit panics")
				}
				if name == "first" && in.How == "hangs" {
					select {}
				}
			})
		}
		switch in.How {
		case "fails":
			return mp.None{}, errConform
		case "panics":
			panic("the Func panics")
		case "killed":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return mp.None{}, nil
	})
)

// Exit is called once in each worker that ends as its pool wants, whatever the reason, and Init's ctx has ended by then.
func TestPoolsExit(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  mp.PoolConfig
		want int // calls
		act  func(t *testing.T, p *mp.Pool)
	}{
		"close":  {mp.PoolConfig{Workers: 2}, 2, func(t *testing.T, p *mp.Pool) { p.Shutdown(poolCtx(t)) }},
		"resize": {mp.PoolConfig{Workers: 3}, 2, func(t *testing.T, p *mp.Pool) { p.Resize(1) }},
		"idle":   {mp.PoolConfig{Workers: 2, IdleTimeout: 10 * time.Millisecond}, 2, func(t *testing.T, p *mp.Pool) {}},
		"tasks": {mp.PoolConfig{Workers: 1, TasksPerWorker: 1}, 3, func(t *testing.T, p *mp.Pool) {
			for range 3 {
				mp.Apply(poolCtx(t), p, conformDouble, 1)
			}
		}},
		"recycle":   {mp.PoolConfig{Workers: 2}, 2, func(t *testing.T, p *mp.Pool) { p.Recycle(poolCtx(t)) }},
		"drain":     {mp.PoolConfig{Workers: 2}, 2, func(t *testing.T, p *mp.Pool) { p.Drain() }},
		"terminate": {mp.PoolConfig{Workers: 2}, 0, func(t *testing.T, p *mp.Pool) { p.Terminate() }},
	} {
		t.Run(name, func(t *testing.T) {
			onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
				cfg := c.cfg
				log := newExitLog(t)
				cfg.Exit = mp.Bind(exitRun, exitIn{Log: log})
				p := make(cfg)
				c.act(t, p)
				testkit.Until(t, "all is done", func() bool { return len(exitLines(log)) >= c.want })
				if lines := exitLines(log); len(lines) != c.want || c.want > 0 && !strings.HasPrefix(lines[0], "exit true") {
					t.Errorf("%q", lines)
				}
			})
		})
	}
}

// The ctx of Init lives as long as its worker, and ends before Exit is called.
func TestPoolsInitsCtx(t *testing.T) {
	t.Parallel()
	log := newExitLog(t)
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, Init: mp.Bind(exitInit, exitIn{}), Exit: mp.Bind(exitRun, exitIn{Log: log})})
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Error(err)
	}
	if lines := exitLines(log); len(lines) != 1 || lines[0] != "exit true context canceled" {
		t.Errorf("%q", lines)
	}
	var life context.Context
	ended := make(chan error, 1)
	init := thread.Func(func(ctx context.Context, _ int) (int, error) {
		life = ctx
		return 0, nil
	})
	exit := thread.Func(func(ctx context.Context, _ int) (int, error) {
		ended <- life.Err()
		return 0, nil
	})
	p = made(t, thread.NewPool, mp.PoolConfig{Workers: 1, Init: mp.Bind(init, 1), Exit: mp.Bind(exit, 1)})
	if err := life.Err(); err != nil {
		t.Error(err)
	}
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != context.Canceled {
		t.Error(err)
	}
}

// Whatever Exit does, the pool ends, and says what was wrong: Join and the worker's last event.
func TestPoolsExitFails(t *testing.T) {
	for how, want := range map[string]string{
		"fails": "a task has failed", "panics": "the Exit panics", "exits": "Goexit", "hangs": "did not return within 50ms", "obeys": "",
		"os.Exit": "exit code 3",
	} {
		t.Run(how, func(t *testing.T) {
			onPools(t, func(t *testing.T, make func(mp.PoolConfig) *mp.Pool) {
				if how == "os.Exit" && strings.HasSuffix(t.Name(), "goroutines") {
					t.Skip("it would end the test")
				}
				var events eventLog
				log := newExitLog(t)
				p := make(mp.PoolConfig{Workers: 1, Grace: 50 * time.Millisecond, Events: events.note, Exit: mp.Bind(exitRun, exitIn{log, how})})
				if _, err := mp.Apply(poolCtx(t), p, conformDouble, 1); err != nil {
					t.Error(err)
				}
				begun := time.Now()
				err := p.Shutdown(poolCtx(t))
				if d := time.Since(begun); d > testkit.Within(time.Second) {
					t.Errorf("it took %v", d)
				}
				e := events.first(t, mp.WorkerRecycled)
				if !errors.Is(e.Err, mp.ErrClosed) {
					t.Error(e.Err)
				}
				if want == "" {
					if err != nil || len(exitLines(log)) != 2 {
						t.Errorf("%v, %q", err, exitLines(log))
					}
					return
				}
				for _, err := range []error{err, e.Err} {
					if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Exit of worker 1") {
						t.Errorf("%v", err)
					}
				}
				if how == "fails" && !errors.Is(err, errConform) {
					t.Error(err)
				}
			})
		})
	}
}

// A worker that is killed in its Exit, or stopped, does not keep its pool from its end.
func TestExitAndKills(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
		log := newExitLog(t)
		p := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, Grace: 10 * time.Second, Exit: mp.Bind(exitRun, exitIn{log, "hangs"})})
		pid := p.Stats().Workers[0].PID
		done := goDo(func() error {
			ctx, cancel := context.WithTimeout(poolCtx(t), 500*time.Millisecond)
			defer cancel()
			return p.Shutdown(ctx)
		})
		testkit.Until(t, "Exit runs", func() bool { return len(exitLines(log)) == 1 })
		syscall.Kill(pid, sig)
		if err := <-done; err == nil || sig == syscall.SIGSTOP && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v: %v", sig, err)
		}
	}
}

// An Exit that cannot work is an error of NewPool.
func TestExitThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, kind := range poolKinds {
		var none *mp.Func[int, int]
		if _, err := kind(mp.PoolConfig{Workers: 1, Exit: mp.Bind(none, 1)}); err == nil || !strings.Contains(err.Error(), "Exit") {
			t.Errorf("%s: %v", name, err)
		}
	}
	closure := thread.Func(func(context.Context, int) (int, error) { return 0, nil })
	if _, err := mp.NewPool(mp.PoolConfig{Workers: 1, Exit: mp.Bind(closure, 1)}); !errors.Is(err, mp.ErrNotRegistered) || !strings.Contains(err.Error(), "Exit") {
		t.Error(err)
	}
}

// An Exit may be given what processes share.
func TestExitWithAQueue(t *testing.T) {
	t.Parallel()
	q, err := mp.NewQueue[int](mp.Unbounded)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("processes share nothing here: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 3, Exit: mp.Bind(exitPut, q)})
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Error(err)
	}
	if n := q.Len(); n != 3 {
		t.Errorf("%d items", n)
	}
}

var exitPut = mp.Register("exit/put", func(ctx context.Context, q *mp.Queue[int]) (mp.None, error) {
	return mp.None{}, q.Put(ctx, os.Getpid())
})

// What OnExit has registered is called in a process of Start or Call when its Func has ended, the last first, and not when it was killed.
func TestOnExit(t *testing.T) {
	t.Parallel()
	all := "on exit last true|on exit panics true|on exit first true"
	for how, want := range map[string]string{"": all, "fails": all, "panics": all, "hangs": all, "killed": ""} {
		log := newExitLog(t)
		begun := time.Now()
		_, err := mp.Call(poolCtx(t), exitTask, exitIn{log, how}, mp.ProcessConfig{Grace: 50 * time.Millisecond, Stderr: new(strings.Builder)})
		if (err == nil) != (how == "" || how == "hangs") {
			t.Errorf("%q: %v", how, err)
		}
		if got := strings.Join(exitLines(log), "|"); got != want {
			t.Errorf("%q: %s", how, got)
		}
		if d := time.Since(begun); d > testkit.Within(time.Second) {
			t.Errorf("%q: %v", how, d)
		}
	}
	log := newExitLog(t)
	p, err := mp.Start(poolCtx(t), exitTask, exitIn{Log: log}, mp.ProcessConfig{Stderr: new(strings.Builder)})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(poolCtx(t)); err != nil {
		t.Error(err)
	}
	if got := strings.Join(exitLines(log), "|"); got != all {
		t.Error(got)
	}
}

// In a pool's worker it is called after Exit.
func TestOnExitInAPool(t *testing.T) {
	t.Parallel()
	log := newExitLog(t)
	p := made(t, mp.NewPool, mp.PoolConfig{Workers: 1, Stderr: new(strings.Builder), Exit: mp.Bind(exitRun, exitIn{Log: log})})
	if _, err := mp.Apply(poolCtx(t), p, exitTask, exitIn{Log: log}); err != nil {
		t.Error(err)
	}
	if err := p.Shutdown(poolCtx(t)); err != nil {
		t.Error(err)
	}
	if got := strings.Join(exitLines(log), "|"); got != "exit true none|on exit last true|on exit panics true|on exit first true" {
		t.Error(got)
	}
}

func TestOnExitOfNil(t *testing.T) {
	t.Parallel()
	defer func() {
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "OnExit") {
			t.Error(v)
		}
	}()
	mp.OnExit(nil)
}
