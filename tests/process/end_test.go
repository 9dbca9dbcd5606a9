//go:build linux

package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestProcessEndsWell(t *testing.T) {
	t.Parallel()
	for _, do := range []procDo{{What: "return"}, {What: "exit"}} {
		if e := procEnd(t, do, mp.ProcessConfig{}); e != nil {
			t.Errorf("%v: %v", do, e)
		}
	}
}

func TestProcessEndsInError(t *testing.T) {
	t.Parallel()
	e := procEnd(t, procDo{What: "error", Text: "no luck"}, mp.ProcessConfig{Name: "unlucky"})
	if e == nil || e.Code != 1 || e.Err == nil || e.Err.Error() != "no luck" || e.Signal != nil || e.Reason != "" {
		t.Errorf("%+v", e)
	}
	if !strings.Contains(e.Stderr, "unlucky: no luck") || !strings.Contains(e.Error(), "exit code 1: no luck") {
		t.Errorf("%q %q", e.Stderr, e)
	}
}

func TestProcessEndsInPanic(t *testing.T) {
	t.Parallel()
	e := procEnd(t, procDo{What: "panic", Text: "oh"}, mp.ProcessConfig{})
	var p *mp.PanicError
	if e == nil || e.Code != 2 || !errors.As(e, &p) || p.Value != "oh" || e.Reason != "panic: oh" {
		t.Fatalf("%+v", e)
	}
	if !strings.Contains(p.Stack, "acts_test.go") || !strings.HasPrefix(e.Stderr, "panic: oh\n\ngoroutine ") {
		t.Errorf("%q %q", p.Stack, e.Stderr)
	}
}

// TestProcessPanicOfAnotherProcess: an error that tells of a panic elsewhere is an error.
func TestProcessPanicOfAnotherProcess(t *testing.T) {
	t.Parallel()
	e := procEnd(t, procDo{What: "child", Text: "panic"}, mp.ProcessConfig{})
	var p *mp.PanicError
	if e == nil || e.Code != 1 || !errors.As(e, &p) || p.Value != "panic" || e.Reason != "" {
		t.Errorf("%+v", e)
	}
}

func TestProcessEndsByExit(t *testing.T) {
	t.Parallel()
	e := procEnd(t, procDo{What: "exit", N: 3}, mp.ProcessConfig{})
	if e == nil || e.Code != 3 || e.Err != nil || e.Signal != nil {
		t.Errorf("%+v", e)
	}
	_, err := mp.Call(testkit.Ctx(t), procAct, procDo{What: "exit", N: 0})
	if !errors.As(err, &e) || e.Code != 0 || !strings.Contains(err.Error(), "before its Func returned") {
		t.Error(err)
	}
}

func TestProcessEndsByGoexit(t *testing.T) {
	t.Parallel()
	e := procEnd(t, procDo{What: "goexit"}, mp.ProcessConfig{})
	if e == nil || e.Code != 1 || !strings.Contains(e.Error(), "Goexit") {
		t.Errorf("%+v", e)
	}
}

// TestProcessCrashes is what the Go runtime does to a program. Each has a Reason, and Stderr
// begins with it, however many goroutines there are.
func TestProcessCrashes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, reason string }{
		{"panic elsewhere", "panic: far away"},
		{"nil elsewhere", "panic: runtime error: invalid memory address or nil pointer dereference"},
		{"map writes", "fatal error: concurrent map "},
		{"stack overflow", "fatal error: stack overflow"},
		{"out of memory", "fatal error: "},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			if testkit.Race && (c.what == "map writes" || c.what == "out of memory") {
				t.Skip("the race detector has its own words for it")
			}
			var all procWriter
			e := procEnd(t, procDo{What: c.what, Text: "far away"}, mp.ProcessConfig{Stderr: &all, Env: append(os.Environ(), "GOTRACEBACK=all")})
			if e == nil || e.Code != 2 || e.Err != nil || !strings.HasPrefix(e.Reason, c.reason) {
				t.Fatalf("%+v", e)
			}
			if !strings.HasPrefix(e.Stderr, e.Reason) || len(e.Stderr) > 32<<10 {
				t.Errorf("%d bytes: %.200q", len(e.Stderr), e.Stderr)
			}
			if strings.HasSuffix(c.what, "elsewhere") && len(e.Stderr) < 30<<10 {
				t.Errorf("%d bytes of %d", len(e.Stderr), len(all.String()))
			}
			if errors.Is(e, mp.ErrMemory) != (c.what == "out of memory") {
				t.Errorf("is ErrMemory or not: %v", e)
			}
			if !strings.Contains(e.Error(), e.Reason) {
				t.Error(e)
			}
		})
	}
}

func TestProcessEndsBySignal(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(sig) {
			continue // under nohup, so children ignore it, too
		}
		e := procEnd(t, procDo{What: "kill self", N: int(sig)}, mp.ProcessConfig{})
		if e == nil || e.Code != -int(sig) || e.Signal != sig || e.Err != nil || !strings.Contains(e.Error(), "signal: "+sig.String()) {
			t.Errorf("%v: %+v", sig, e)
		}
	}
	// These the Go runtime reports itself.
	for sig, reason := range map[syscall.Signal]string{syscall.SIGQUIT: "SIGQUIT: quit", syscall.SIGSEGV: "SIGSEGV: segmentation violation", syscall.SIGABRT: "SIGABRT: abort"} {
		e := procEnd(t, procDo{What: "kill self", N: int(sig)}, mp.ProcessConfig{})
		if e == nil || e.Code != 2 || e.Reason != reason && e.Reason != "fatal error: unexpected signal during runtime execution" {
			t.Errorf("%v: %+v", sig, e)
		}
	}
}

func TestProcessKilledFromOutside(t *testing.T) {
	t.Parallel()
	p := procStart(t, testkit.Ctx(t), procDo{What: "sleep"}, mp.ProcessConfig{})
	syscall.Kill(p.PID(), syscall.SIGKILL)
	if e := procJoin(t, p); e == nil || e.Code != -9 || e.Signal != syscall.SIGKILL || e.Err != nil || errors.Is(e, mp.ErrMemory) {
		t.Errorf("%+v", e)
	}
}

func TestProcessLimits(t *testing.T) {
	t.Parallel()
	t.Run("Memory", func(t *testing.T) {
		t.Parallel()
		e := procEnd(t, procDo{What: "eat", N: 400}, mp.ProcessConfig{Limits: mp.Limits{Memory: 100 << 20}})
		if e == nil || e.Code != -9 || !errors.Is(e, mp.ErrMemory) {
			t.Errorf("%+v", e)
		}
	})
	t.Run("CPU", func(t *testing.T) {
		t.Parallel()
		e := procEnd(t, procDo{What: "spin"}, mp.ProcessConfig{Limits: mp.Limits{CPU: time.Millisecond}})
		if e == nil || e.Code != 2 || !strings.HasPrefix(e.Reason, "SIGXCPU: ") {
			t.Errorf("%+v", e)
		}
	})
	t.Run("OpenFiles", func(t *testing.T) {
		t.Parallel()
		e := procEnd(t, procDo{What: "too many files"}, mp.ProcessConfig{Limits: mp.Limits{OpenFiles: 32}})
		if e == nil || !errors.Is(e, syscall.EMFILE) {
			t.Errorf("%+v", e)
		}
	})
	t.Run("Nice", func(t *testing.T) {
		t.Parallel()
		if got := procCall(t, procDo{What: "nice"}, mp.ProcessConfig{Limits: mp.Limits{Nice: 5}}); got != "5" {
			t.Error(got)
		}
	})
}

func TestProcessCtxOverBeforeStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if p, err := mp.Start(ctx, procAct, procDo{What: "return"}); err != context.Canceled || p != nil {
		t.Error(err)
	}
	if _, err := mp.Call(ctx, procAct, procDo{What: "return"}); err != context.Canceled {
		t.Error(err)
	}
}

// TestProcessCtxEnds: the Func's ctx ends with Start's.
func TestProcessCtxEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(testkit.Ctx(t))
	p := procStart(t, ctx, procDo{What: "await"}, mp.ProcessConfig{Grace: time.Minute})
	cancel()
	if e := procJoin(t, p); e == nil || e.Code != 1 || e.Signal != nil || !errors.Is(e, context.Canceled) {
		t.Errorf("%+v", e)
	}
}

func TestProcessDeadline(t *testing.T) {
	t.Parallel()
	if got := procCall(t, procDo{What: "deadline"}, mp.ProcessConfig{}); got != "true true" {
		t.Error(got)
	}
	if got, err := mp.Call(context.Background(), procAct, procDo{What: "deadline"}); got != "false false" || err != nil {
		t.Error(got, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second) // enough to start
	defer cancel()
	p, err := mp.Start(ctx, procAct, procDo{What: "await"}, mp.ProcessConfig{Grace: time.Minute, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if e := procJoin(t, p); e == nil || e.Code != 1 || !errors.Is(e, context.DeadlineExceeded) && !errors.Is(e, context.Canceled) {
		t.Errorf("%+v", e)
	}
}

// TestProcessGrace: one that does not stop is killed, and Join says why.
func TestProcessGrace(t *testing.T) {
	testkit.Beside(t)
	for _, what := range []string{"spin", "ignore ctx", "sleep"} {
		ctx, cancel := context.WithCancelCause(testkit.Ctx(t))
		p := procStart(t, ctx, procDo{What: what}, mp.ProcessConfig{Grace: 50 * time.Millisecond})
		begin, why := time.Now(), errors.New("enough")
		cancel(why)
		e := procJoin(t, p)
		if took := time.Since(begin); took < 50*time.Millisecond || took > testkit.Within(150*time.Millisecond) {
			t.Errorf("%s: took %v", what, took)
		}
		if e == nil || e.Code != -9 || !errors.Is(e, why) {
			t.Errorf("%s: %+v", what, e)
		}
	}
}

// TestProcessCallReturnsAtOnce: the kill follows behind.
func TestProcessCallReturnsAtOnce(t *testing.T) {
	t.Parallel()
	for _, grace := range []time.Duration{50 * time.Millisecond, time.Hour} {
		ctx, cancel := context.WithCancel(testkit.Ctx(t))
		var out procWriter
		name := fmt.Sprint("at-once-", grace)
		returned := make(chan error, 1)
		go func() {
			_, err := mp.Call(ctx, procSay, procDo{What: "spin"}, mp.ProcessConfig{Name: name, Grace: grace, Stdout: &out})
			returned <- err
		}()
		out.await(t, "ready")
		children := mp.Children()
		p := children[slices.IndexFunc(children, func(p *mp.Process) bool { return p.Name() == name })]
		cancel()
		if err := <-returned; err != context.Canceled {
			t.Error(err)
		}
		if grace == time.Hour {
			short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			if err := p.Join(short); err != context.DeadlineExceeded || !slices.Contains(mp.Children(), p) {
				t.Error("killed before the grace was over, or forgotten:", err)
			}
			cancel()
			p.Kill()
		}
		if e := procJoin(t, p); e == nil || e.Code != -9 {
			t.Errorf("%+v", e)
		}
	}
}

// TestProcessInputIsCopied: it may be changed as soon as Start returns.
func TestProcessInputIsCopied(t *testing.T) {
	t.Parallel()
	in := bytes.Repeat([]byte{1}, 4<<20)
	p, err := mp.Start(testkit.Ctx(t), procOnes, in)
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	if err := p.Join(testkit.Ctx(t)); err != nil {
		t.Error(err)
	}
}

var procOnes = mp.Register("proc/ones", func(_ context.Context, in []byte) (mp.None, error) {
	for _, b := range in {
		if b != 1 {
			return mp.None{}, errors.New("changed")
		}
	}
	return mp.None{}, nil
})

// TestProcessConcurrentUse: every method at once.
func TestProcessConcurrentUse(t *testing.T) {
	t.Parallel()
	p := procStart(t, testkit.Ctx(t), procDo{What: "sleep"}, mp.ProcessConfig{})
	var all sync.WaitGroup
	for _, f := range []func(){
		func() { p.Join(testkit.Ctx(t)) }, func() { p.Alive() }, func() { p.ExitCode() }, func() { p.Interrupt() },
		func() { p.Terminate() }, func() { p.Kill() }, func() { <-p.Done() }, func() { mp.Children() }, func() { p.PID() },
	} {
		for range 3 {
			all.Go(f)
		}
	}
	all.Wait()
	if code, _ := p.ExitCode(); code != -9 && code != -15 {
		t.Error(code)
	}
}
