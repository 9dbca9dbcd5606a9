package thread_test

import (
	"context"
	"errors"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// startThread is Start with a test that fails if it does.
func startThread(t *testing.T, ctx context.Context, name string, f func(context.Context) error) *thread.Thread {
	t.Helper()
	th, err := thread.Start(ctx, name, f)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

// untilTold is a thread's function that ends well when it is told to.
func untilTold(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func TestStartRunsFOnAnotherGoroutine(t *testing.T) {
	t.Parallel()
	ran := make(chan struct{})
	th := startThread(t, t.Context(), "worker", func(context.Context) error {
		ran <- struct{}{} // while the test waits for it
		return nil
	})
	<-ran
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
	if th.Name() != "worker" || th.Alive() {
		t.Errorf("name %q, alive %v", th.Name(), th.Alive())
	}
}

func TestStartNumbersThreadsWithoutAName(t *testing.T) {
	t.Parallel()
	numbered := regexp.MustCompile(`^Thread-[1-9][0-9]*$`)
	seen := map[string]bool{}
	for range 10 {
		th := startThread(t, t.Context(), "", func(context.Context) error { return nil })
		if err := th.Join(t.Context()); err != nil {
			t.Error(err)
		}
		if !numbered.MatchString(th.Name()) || seen[th.Name()] {
			t.Errorf("%q after %v", th.Name(), seen)
		}
		seen[th.Name()] = true
	}
}

func TestStartTakesOneNameTwice(t *testing.T) {
	t.Parallel()
	a := startThread(t, t.Context(), "twin", untilTold)
	b := startThread(t, t.Context(), "twin", untilTold)
	if a == b || a.Name() != b.Name() {
		t.Error(a, b)
	}
	a.Cancel()
	if err := a.Join(t.Context()); err != nil || !b.Alive() {
		t.Errorf("%v, and the other is alive: %v", err, b.Alive())
	}
	b.Cancel()
	if err := b.Join(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStartOfANilFunction(t *testing.T) {
	t.Parallel()
	th, err := thread.Start(t.Context(), "none", nil)
	if th != nil || err == nil || !strings.Contains(err.Error(), `"none"`) || !strings.Contains(err.Error(), "nil") {
		t.Error(th, err)
	}
}

func TestStartUnderACtxThatHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	th, err := thread.Start(ctx, "late", func(context.Context) error {
		t.Error("it was started")
		return nil
	})
	if th != nil || err != context.Canceled {
		t.Error(th, err)
	}
	if th, err = thread.StartRunner(ctx, "late", &errand{}); th != nil || err != context.Canceled {
		t.Error(th, err)
	}
}

type startKey struct{}

func TestCtxHasItsParentsValuesAndDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), startKey{}, "kept"), time.Hour)
		defer cancel()
		began := time.Now()
		th := startThread(t, ctx, "", func(ctx context.Context) error {
			if ctx.Value(startKey{}) != "kept" {
				t.Error("the value is not there")
			}
			if end, ok := ctx.Deadline(); !ok || !end.Equal(began.Add(time.Hour)) {
				t.Error(end, ok)
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if err := th.Join(t.Context()); err != context.DeadlineExceeded || time.Since(began) != time.Hour {
			t.Error(err, time.Since(began))
		}
	})
}

func TestCtxEndsWithItsParent(t *testing.T) {
	t.Parallel()
	why := errors.New("no more")
	parent, cancel := context.WithCancelCause(t.Context())
	th := startThread(t, parent, "", func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	cancel(why)
	if err := th.Join(t.Context()); err != why {
		t.Error(err)
	}
}

func TestCtxEndsWhenFReturns(t *testing.T) {
	t.Parallel()
	var own context.Context
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		own = ctx
		return ctx.Err()
	})
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
	if own.Err() != context.Canceled {
		t.Error(own.Err())
	}
}

// errand is a Runner that runs until it is told to end.
type errand struct {
	current *thread.Thread
	err     error
}

func (e *errand) Run(ctx context.Context) error {
	e.current = thread.Current(ctx)
	<-ctx.Done()
	return e.err
}

// chore is a Runner whose type has arguments.
type chore[T any] struct{ to chan T }

func (c chore[T]) Run(context.Context) error { close(c.to); return nil }

func TestStartRunner(t *testing.T) {
	t.Parallel()
	e := &errand{err: errors.New("nothing found")}
	th, err := thread.StartRunner(t.Context(), "shopping", e)
	if err != nil {
		t.Fatal(err)
	}
	th.Cancel()
	if err := th.Join(t.Context()); err != nil && err != e.err {
		t.Error(err)
	}
	if th.Name() != "shopping" || e.current != th {
		t.Error(th, e.current)
	}
}

func TestStartRunnerIsNamedAfterItsType(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]mp.Runner{
		`^errand-\d+$`: &errand{},
		`^chore-\d+$`:  chore[string]{make(chan string)},
		`^Thread-\d+$`: struct{ *errand }{&errand{}},
	} {
		th, err := thread.StartRunner(t.Context(), "", r)
		if err != nil {
			t.Fatal(err)
		}
		th.Cancel()
		if err := th.Join(t.Context()); err != nil {
			t.Error(err)
		}
		if !regexp.MustCompile(name).MatchString(th.Name()) {
			t.Errorf("%q does not match %s", th.Name(), name)
		}
	}
}

func TestStartRunnerOfNil(t *testing.T) {
	t.Parallel()
	th, err := thread.StartRunner(t.Context(), "none", nil)
	if th != nil || err == nil || !strings.Contains(err.Error(), `"none"`) || !strings.Contains(err.Error(), "nil") {
		t.Error(th, err)
	}
}

// Nothing is kept of threads that have ended and that nobody holds.
func TestManyThreadsLeaveNothing(t *testing.T) {
	const n = 10_000
	parent, cancel := context.WithCancel(t.Context())
	defer cancel()
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	round := func() {
		for range n {
			th := startThread(t, parent, "", func(context.Context) error { return nil })
			if err := th.Join(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	round()
	before := memory()
	round()
	if after := memory(); after > before+n*16 {
		t.Errorf("%d bytes a thread were left", (after-before)/n)
	}
}
