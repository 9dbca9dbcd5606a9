package thread_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

var errWork = errors.New("the work cannot be done")

func TestJoinWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		th := startThread(t, t.Context(), "", func(context.Context) error {
			time.Sleep(3 * time.Second)
			return nil
		})
		if !th.Alive() {
			t.Error("it has ended before")
		}
		if err := th.Join(t.Context()); err != nil || time.Since(began) != 3*time.Second || th.Alive() {
			t.Error(err, time.Since(began), th.Alive())
		}
	})
}

func TestJoinOfManyGivesEachTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := startThread(t, t.Context(), "", func(ctx context.Context) error {
			<-ctx.Done()
			return errWork
		})
		var joins sync.WaitGroup
		for range 10 {
			joins.Go(func() {
				if err := th.Join(t.Context()); err != errWork {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		th.Cancel()
		joins.Wait()
		if err := th.Join(t.Context()); err != errWork {
			t.Error("again:", err)
		}
	})
}

func TestJoinGivesUpWithItsCtx(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := startThread(t, t.Context(), "", untilTold)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := th.Join(ctx); err != context.DeadlineExceeded || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
		if !th.Alive() {
			t.Error("giving up ended the thread")
		}
		th.Cancel()
		if err := th.Join(t.Context()); err != nil {
			t.Error(err)
		}
		if err := th.Join(ctx); err != nil {
			t.Error("of a thread that has ended, with a ctx that has too:", err)
		}
	})
}

// growl panics with a value whose text panics.
type growl struct{}

func (growl) String() string { panic(growl{}) }

func TestJoinOfAPanic(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value any
		text  string
	}{
		"text":            {"no way out", "no way out"},
		"error":           {errWork, errWork.Error()},
		"nil":             {nil, "panic called with nil argument"},
		"text that fails": {growl{}, "growl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				th := startThread(t, t.Context(), "", func(ctx context.Context) error {
					<-ctx.Done()
					return panicWith(c.value)
				})
				joined := make(chan error)
				go func() { joined <- th.Join(t.Context()) }()
				synctest.Wait()
				th.Cancel()
				var p *mp.PanicError
				if err := <-joined; !errors.As(err, &p) || !strings.Contains(p.Value, c.text) {
					t.Fatalf("%#v", err)
				}
				if !strings.Contains(p.Stack, "panicWith") {
					t.Errorf("the stack does not say where:\n%s", p.Stack)
				}
			})
		})
	}
}

func panicWith(v any) error { panic(v) }

func TestJoinOfGoexit(t *testing.T) {
	t.Parallel()
	th := startThread(t, t.Context(), "", func(context.Context) error {
		runtime.Goexit()
		return nil
	})
	if err := th.Join(t.Context()); err == nil || !strings.Contains(err.Error(), "runtime.Goexit") {
		t.Error(err)
	}
}

// A deferred function of f may turn a panic into Goexit, and recover one.
func TestJoinTellsAPanicFromGoexit(t *testing.T) {
	t.Parallel()
	th := startThread(t, t.Context(), "", func(context.Context) error {
		defer runtime.Goexit()
		panic("given up")
	})
	if err := th.Join(t.Context()); err == nil || !strings.Contains(err.Error(), "runtime.Goexit") {
		t.Error(err)
	}
	th = startThread(t, t.Context(), "", func(context.Context) (err error) {
		defer func() { err = fmt.Errorf("recovered: %v", recover()) }()
		panic("caught")
	})
	if err := th.Join(t.Context()); err == nil || err.Error() != "recovered: caught" {
		t.Error(err)
	}
}

func TestJoiningItselfIsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	th := startThread(t, t.Context(), "narcissus", func(ctx context.Context) error {
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		return errors.Join(thread.Current(ctx).Join(ctx), thread.Current(ctx).Join(inner))
	})
	err := th.Join(t.Context())
	if err == nil || strings.Count(err.Error(), "narcissus cannot join itself") != 2 {
		t.Error(err)
	}
}

func TestJoiningAnotherFromAThread(t *testing.T) {
	t.Parallel()
	first := startThread(t, t.Context(), "first", untilTold)
	second := startThread(t, t.Context(), "second", first.Join)
	first.Cancel()
	if err := second.Join(t.Context()); err != nil {
		t.Error(err)
	}
}

// A thread that was started with the ctx of another is not that one.
func TestJoiningTheThreadThatStartedThis(t *testing.T) {
	t.Parallel()
	inner := make(chan *thread.Thread)
	outer := startThread(t, t.Context(), "outer", func(ctx context.Context) error {
		self := thread.Current(ctx)
		th, err := thread.Start(context.WithoutCancel(ctx), "inner", self.Join)
		inner <- th
		return err
	})
	if err := (<-inner).Join(t.Context()); err != nil {
		t.Error(err)
	}
	if outer.Alive() {
		t.Error("it was not waited for")
	}
}

func TestJoiningMainThread(t *testing.T) {
	t.Parallel()
	main := thread.Current(t.Context())
	if err := main.Join(t.Context()); err == nil || !strings.Contains(err.Error(), "MainThread") {
		t.Error(err)
	}
	th := startThread(t, t.Context(), "", main.Join)
	if err := th.Join(t.Context()); err == nil || !strings.Contains(err.Error(), "MainThread") {
		t.Error(err)
	}
}

func TestMainThreadIsAlways(t *testing.T) {
	t.Parallel()
	main := thread.Current(t.Context())
	main.Cancel()
	select {
	case <-main.Done():
		t.Error("it has ended")
	default:
	}
	if !main.Alive() || main.Name() != "MainThread" {
		t.Error(main)
	}
}

func TestThreadThatWasNotStarted(t *testing.T) {
	t.Parallel()
	var th thread.Thread
	th.Cancel()
	if th.Alive() {
		t.Error("it is alive")
	}
	<-th.Done()
	if err := th.Join(t.Context()); err == nil || !strings.Contains(err.Error(), "not started") {
		t.Error(err)
	}
}

func TestCancelAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stubborn := make(chan struct{})
		th := startThread(t, t.Context(), "", func(ctx context.Context) error {
			<-ctx.Done()
			<-stubborn
			return ctx.Err()
		})
		th.Cancel()
		synctest.Wait()
		if !th.Alive() {
			t.Error("it has ended though its function has not")
		}
		close(stubborn)
		if err := th.Join(t.Context()); err != context.Canceled {
			t.Error(err)
		}
		th.Cancel() // again, and after its end
	})
}

func TestDoneIsClosedWhenAllIsSettled(t *testing.T) {
	t.Parallel()
	for range 100 {
		th := startThread(t, t.Context(), "", func(context.Context) error { return errWork })
		<-th.Done()
		if th.Alive() {
			t.Fatal("it is alive")
		}
		for _, other := range thread.Enumerate() {
			if other == th {
				t.Fatal("it is listed")
			}
		}
		if err := th.Join(t.Context()); err != errWork {
			t.Fatal(err)
		}
	}
}

func TestThreadAsText(t *testing.T) {
	t.Parallel()
	th := startThread(t, t.Context(), "painter", untilTold)
	if s := fmt.Sprint(th); s != "Thread(painter, alive)" {
		t.Error(s)
	}
	th.Cancel()
	if err := th.Join(t.Context()); err != nil {
		t.Error(err)
	}
	if s := fmt.Sprint(th); s != "Thread(painter, ended)" {
		t.Error(s)
	}
}
