//go:build linux

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// badError is an error whose methods do something else than return.
type badError string

func (e badError) act() string {
	switch e {
	case "exits":
		runtime.Goexit()
	case "panics":
		panic(e)
	case "blocks":
		select {}
	case "spins":
		//lint:ignore SA5002 that is the point
		for {
		}
	}
	return string(e)
}

func (e badError) Error() string { return e.act() }

// badUnwrap is one whose Unwrap does that.
type badUnwrap string

func (badUnwrap) Error() string   { return "text" }
func (e badUnwrap) Unwrap() error { badError(e).act(); return io.EOF }

// badFormat prints without end.
type badFormat struct{}

func (badFormat) Format(f fmt.State, _ rune) {
	for {
		fmt.Fprint(f, "and ")
	}
}

// badString is a value that is no error.
type badString string

func (s badString) String() string { return badError(s).act() }

var badMethods = []string{"exits", "panics", "blocks"}

// badWays are how a task can hand over such a value.
var badWays = []string{"panics with an error", "panics with a Stringer", "panics with a Formatter", "returns", "returns what wraps"}

var badTask = mp.Register("bad/task", func(_ context.Context, in [2]string) (int, error) { return badAct(in) })

func badAct(in [2]string) (int, error) {
	switch in[0] {
	case "panics with an error":
		panic(badError(in[1]))
	case "panics with a Stringer":
		panic(badString(in[1]))
	case "panics with a Formatter":
		panic(badFormat{})
	case "returns":
		return 0, badError(in[1])
	case "returns what wraps":
		return 0, badUnwrap(in[1])
	}
	return 1, nil
}

// badCases calls f for each way and each method that ends.
func badCases(t *testing.T, f func(t *testing.T, in [2]string)) {
	for _, way := range badWays {
		for i, method := range badMethods {
			if way == "panics with a Formatter" && i > 0 {
				break // it has one way
			}
			t.Run(way+" "+method, func(t *testing.T) {
				t.Parallel()
				f(t, [2]string{way, method})
			})
		}
	}
}

// badOutcome checks the error of a task, which is not asked for its text: where nothing is copied
// it may be the bad one itself.
func badOutcome(t *testing.T, in [2]string, err error) {
	t.Helper()
	var panicked *mp.PanicError
	if is := errors.As(err, &panicked); err == nil || is != strings.HasPrefix(in[0], "panics") {
		t.Errorf("the outcome is a %T", err)
	} else if is && (panicked.Value == "" || len(panicked.Value) > 2<<20) {
		t.Errorf("the value has a text of %d bytes", len(panicked.Value))
	}
}

// A task has an outcome whatever the methods of the values do that it panics with or returns,
// and its pool works on.
func TestPanicValuesInPools(t *testing.T) {
	t.Parallel()
	badCases(t, func(t *testing.T, in [2]string) {
		p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stderr: io.Discard})
		_, err := mp.Apply(poolCtx(t), p, badTask, in)
		badOutcome(t, in, err)
		if v, err := mp.Apply(poolCtx(t), p, badTask, [2]string{}); v != 1 || err != nil {
			t.Error(v, err)
		}
	})
}

func TestPanicValuesInCalls(t *testing.T) {
	t.Parallel()
	badCases(t, func(t *testing.T, in [2]string) {
		_, err := mp.Call(poolCtx(t), badTask, in, mp.ProcessConfig{Stderr: io.Discard})
		badOutcome(t, in, err)
	})
}

func TestPanicValuesInProcesses(t *testing.T) {
	t.Parallel()
	badCases(t, func(t *testing.T, in [2]string) {
		p, err := mp.Start(poolCtx(t), badTask, in, mp.ProcessConfig{Stderr: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		badOutcome(t, in, p.Join(poolCtx(t)))
	})
}

// Init's panic is told by NewPool.
func TestPanicValuesInInit(t *testing.T) {
	t.Parallel()
	badCases(t, func(t *testing.T, in [2]string) {
		_, err := mp.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(badTask, in), Stderr: io.Discard})
		if err == nil {
			t.Fatal("no error")
		}
		_ = err.Error()
	})
}

// On goroutines nothing can be killed: those that spin are left out, for they would go on until the
// test binary ends, and those that wait are released.
func TestPanicValuesOnGoroutines(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"exits", "panics", "waits"} {
		for _, way := range []string{"panics", "returns"} {
			t.Run(way+" "+method, func(t *testing.T) {
				t.Parallel()
				release := make(chan struct{})
				defer close(release)
				act := func() (int, error) {
					if way == "panics" {
						panic(waitError{method, release})
					}
					return 0, waitError{method, release}
				}
				task := thread.Func(func(context.Context, int) (int, error) { return act() })
				p, err := thread.NewPool(mp.PoolConfig{Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Terminate()
				if _, err := mp.Apply(poolCtx(t), p, task, 1); err == nil {
					t.Error("a pool: no error")
				}
				th, err := thread.Start(poolCtx(t), "", func(context.Context) error { _, err := act(); return err })
				if err != nil {
					t.Fatal(err)
				}
				joined := make(chan error, 1)
				go func() { joined <- th.Join(poolCtx(t)) }()
				if err := <-joined; err == nil || err == context.DeadlineExceeded { // not errors.Is: it would ask the error
					t.Error("a thread: no error of its own")
				}
				if way == "returns" {
					return // NewPool prints what Init returns, as fmt does
				}
				if _, err := thread.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(thread.Func(func(context.Context, int) (int, error) { return act() }), 1)}); err == nil {
					t.Error("Init: no error")
				}
			})
		}
	}
}

// waitError has methods that do something else than return, until it is released.
type waitError struct {
	how     string
	release chan struct{}
}

func (e waitError) Error() string {
	if e.how == "waits" {
		<-e.release
		return e.how
	}
	return badError(e.how).act()
}

func (e waitError) Is(error) bool { _ = e.Error(); return false }
func (e waitError) Unwrap() error { _ = e.Error(); return nil }

// A callback that panics with such a value does not keep Join from its end.
func TestPanicValuesInCallbacks(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"exits", "panics", "waits"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			defer close(release)
			p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Terminate()
			r := mp.ApplyAsync(poolCtx(t), p, badTask, [2]string{})
			r.OnDone(func(int, error) { panic(waitError{method, release}) })
			called := make(chan struct{})
			r.OnDone(func(int, error) { close(called) })
			p.Close()
			if err := p.Join(poolCtx(t)); err == nil {
				t.Error("Join says nothing of the panic")
			}
			<-called
		})
	}
}

// A worker in which such a method never returns is replaced, and its outcome is kept.
func TestPanicValuesEndTheWorker(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Stderr: io.Discard})
	pid := p.Stats().Workers[0].PID
	in := [2]string{"panics with an error", "spins"}
	_, err := mp.Apply(poolCtx(t), p, badTask, in)
	badOutcome(t, in, err)
	testkit.Until(t, "the worker is replaced", func() bool {
		ws := p.Stats().Workers
		return len(ws) == 1 && ws[0].PID != pid && !alive(pid)
	})
}

// A marshaler that never returns is bounded by the task's Timeout.
func TestPanicValuesMarshaler(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1})
	start := time.Now()
	_, err := mp.Apply(poolCtx(t), p, badOutput, 0, mp.Timeout(200*time.Millisecond))
	if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > testkit.Within(time.Second) {
		t.Errorf("%v after %v", err, took)
	}
}

type neverMarshals struct{ Text string }

func (neverMarshals) MarshalBinary() ([]byte, error)  { select {} }
func (*neverMarshals) UnmarshalBinary(b []byte) error { return nil }

var badOutput = mp.Register("bad/output", func(context.Context, int) (neverMarshals, error) { return neverMarshals{}, nil })
