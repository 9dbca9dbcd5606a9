//go:build linux

package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestProcessInterrupt(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"await", "poll", "derived"} {
		p := procStart(t, testkit.Ctx(t), procDo{What: what}, mp.ProcessConfig{})
		if err := p.Interrupt(); err != nil {
			t.Error(err)
		}
		e := procJoin(t, p)
		if e == nil || e.Code != 1 || !errors.Is(e, context.Canceled) || e.Signal != nil {
			t.Errorf("%s: %v", what, e)
		}
	}
}

// TestProcessInterruptOften: however often a process is asked that does not listen.
func TestProcessInterruptOften(t *testing.T) {
	testkit.Beside(t)
	p := procStart(t, testkit.Ctx(t), procDo{What: "sleep"}, mp.ProcessConfig{})
	before := runtime.NumGoroutine()
	for range 20_000 {
		p.Interrupt()
	}
	if after := runtime.NumGoroutine(); after > before+5000 {
		t.Errorf("%d goroutines, %d before", after, before)
	}
	procGone(t, p, p.Terminate, -15)
}

// TestProcessInterruptEarly: a request that comes before the Func has begun is not lost.
func TestProcessInterruptEarly(t *testing.T) {
	t.Parallel()
	p, err := mp.Start(testkit.Ctx(t), procAct, procDo{What: "await", Text: strings.Repeat("x", 8<<20)}, mp.ProcessConfig{Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	p.Interrupt()
	if e := procJoin(t, p); e == nil || !errors.Is(e, context.Canceled) {
		t.Error(e)
	}
}

func TestProcessTerminate(t *testing.T) {
	testkit.Beside(t)
	for _, do := range []procDo{
		{What: "sleep"}, {What: "spin"}, {What: "ignore ctx"}, {What: "await"},
		{What: "handler"}, {What: "handler", N: 1}, {What: "ignore SIGTERM"}, {What: "ignore SIGTERM", N: 1},
	} {
		t.Run(fmt.Sprint(do.What, do.N), func(t *testing.T) {
			p := procStart(t, testkit.Ctx(t), do, mp.ProcessConfig{})
			procGone(t, p, p.Terminate, -15)
		})
	}
}

// procGone ends a process and checks that it is quick and how it ended.
func procGone(t *testing.T, p *mp.Process, end func() error, code int) {
	t.Helper()
	begin := time.Now()
	if err := end(); err != nil {
		t.Error(err)
	}
	e := procJoin(t, p)
	took := time.Since(begin)
	if e == nil || e.Code != code || e.Signal != syscall.Signal(-code) || e.Err != nil {
		t.Errorf("%+v", e)
	}
	if took > testkit.Within(100*time.Millisecond) {
		t.Errorf("took %v", took)
	}
}

func TestProcessTerminateStopped(t *testing.T) {
	testkit.Beside(t)
	p := procStart(t, testkit.Ctx(t), procDo{What: "stop self"}, mp.ProcessConfig{})
	procAwaitState(t, p, "T")
	procGone(t, p, p.Terminate, -15)
}

// procAwaitState waits until the kernel shows a process in a state.
func procAwaitState(t *testing.T, p *mp.Process, state string) {
	t.Helper()
	testkit.Until(t, "its state is "+state, func() bool { return string(rune(testkit.ProcessState(p.PID()))) == state })
}

func TestProcessKill(t *testing.T) {
	testkit.Beside(t)
	p := procStart(t, testkit.Ctx(t), procDo{What: "spin"}, mp.ProcessConfig{})
	procGone(t, p, p.Kill, -9)
	p = procStart(t, testkit.Ctx(t), procDo{What: "stop self"}, mp.ProcessConfig{})
	procAwaitState(t, p, "T")
	procGone(t, p, p.Kill, -9)
}

// TestProcessTerminateEarly: whatever the process has come to.
func TestProcessTerminateEarly(t *testing.T) {
	testkit.Beside(t)
	for i := range 20 {
		p, err := mp.Start(testkit.Ctx(t), procAct, procDo{What: "sleep", Text: strings.Repeat("x", i*1000)}, mp.ProcessConfig{Stderr: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * 300 * time.Microsecond) // an instant, not a wait
		procGone(t, p, p.Terminate, -15)
	}
}
