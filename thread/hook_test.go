package thread_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// The tests here are not parallel: there is one hook.

// ending is one call of the hook.
type ending struct {
	thread *thread.Thread
	err    error
}

// hookInto collects what the hook is called with until the test's end.
func hookInto(t *testing.T) *[]ending {
	var calls []ending
	thread.SetExceptHook(func(th *thread.Thread, err error) { calls = append(calls, ending{th, err}) })
	t.Cleanup(func() { thread.SetExceptHook(nil) })
	return &calls
}

// stderrOf is what f prints there.
func stderrOf(t *testing.T, f func()) string {
	t.Helper()
	to, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	old := os.Stderr
	os.Stderr = to
	defer func() { os.Stderr = old }()
	f()
	b, err := os.ReadFile(to.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ended runs f as a thread that nobody joins before it has ended.
func ended(t *testing.T, name string, f func(context.Context) error) *thread.Thread {
	th := startThread(t, t.Context(), name, f)
	<-th.Done()
	return th
}

func TestHookGetsPanicsAndErrors(t *testing.T) {
	calls := hookInto(t)
	for _, f := range []func(context.Context) error{
		func(context.Context) error { return panicWith("lost") },
		func(context.Context) error { return errWork },
		func(context.Context) error { runtime.Goexit(); return nil },
	} {
		*calls = nil
		th := ended(t, "", f)
		if len(*calls) != 1 || (*calls)[0].thread != th || (*calls)[0].err != th.Join(t.Context()) {
			t.Errorf("%v; Join says %v", *calls, th.Join(t.Context()))
		}
	}
}

func TestHookGetsNothingOfAThreadThatEndedWell(t *testing.T) {
	calls := hookInto(t)
	ended(t, "", func(context.Context) error { return nil })
	if len(*calls) != 0 {
		t.Error(*calls)
	}
}

func TestHookGetsNothingWhileAJoinWaits(t *testing.T) {
	calls := hookInto(t)
	synctest.Test(t, func(t *testing.T) {
		th := startThread(t, t.Context(), "", func(ctx context.Context) error {
			<-ctx.Done()
			return panicWith("joined")
		})
		joined := make(chan error)
		go func() { joined <- th.Join(t.Context()) }()
		synctest.Wait()
		th.Cancel()
		if err := <-joined; err == nil || len(*calls) != 0 {
			t.Error(err, *calls)
		}
	})
}

func TestHookIsCalledWhenTheJoinHasGivenUp(t *testing.T) {
	calls := hookInto(t)
	synctest.Test(t, func(t *testing.T) {
		th := startThread(t, t.Context(), "", func(ctx context.Context) error {
			<-ctx.Done()
			return errWork
		})
		ctx, cancel := context.WithCancel(t.Context())
		joined := make(chan error)
		go func() { joined <- th.Join(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-joined; err != context.Canceled {
			t.Error(err)
		}
		th.Cancel()
		<-th.Done()
		if len(*calls) != 1 {
			t.Error(*calls)
		}
	})
}

// However a Join's ctx and the thread's end fall together, one of the two gets the error.
func TestNoErrorIsLostBetweenJoinAndHook(t *testing.T) {
	calls := hookInto(t)
	for i := range 500 {
		*calls = nil
		ctx, cancel := context.WithCancel(t.Context())
		th := startThread(t, t.Context(), "", func(ctx context.Context) error {
			<-ctx.Done()
			return errWork
		})
		joined := make(chan error)
		go func() { joined <- th.Join(ctx) }()
		if i%2 == 0 {
			runtime.Gosched()
		}
		go th.Cancel()
		cancel()
		err := <-joined
		<-th.Done()
		if err != errWork && len(*calls) != 1 {
			t.Fatalf("Join says %v, the hook was called %d times", err, len(*calls))
		}
	}
}

func TestHookGetsNothingOfAThreadThatObeyed(t *testing.T) {
	calls := hookInto(t)
	why := errors.New("enough")
	obey := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	cancelled, cancel := context.WithCancelCause(t.Context())
	late, cancelLate := context.WithTimeout(t.Context(), 1)
	defer cancelLate()
	ths := []*thread.Thread{
		startThread(t, t.Context(), "", obey),
		startThread(t, cancelled, "", func(ctx context.Context) error {
			<-ctx.Done()
			return errors.Join(errors.New("stopped"), context.Cause(ctx))
		}),
	}
	if th, err := thread.Start(late, "", obey); err == nil { // it may be too late already
		ths = append(ths, th)
	}
	ths[0].Cancel()
	cancel(why)
	for _, th := range ths {
		<-th.Done()
		if th.Join(t.Context()) == nil {
			t.Error("Join does not tell")
		}
	}
	if len(*calls) != 0 {
		t.Error(*calls)
	}
}

func TestHookGetsACancellationThatIsNotTheThreads(t *testing.T) {
	calls := hookInto(t)
	ended(t, "", func(ctx context.Context) error {
		other, cancel := context.WithCancel(ctx)
		cancel()
		return other.Err()
	})
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		<-ctx.Done()
		return errWork // for a reason of its own
	})
	th.Cancel()
	<-th.Done()
	if len(*calls) != 2 || (*calls)[0].err != context.Canceled || (*calls)[1].err != errWork {
		t.Error(*calls)
	}
}

func TestHookIsCalledBeforeTheThreadHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inHook, goOn := make(chan bool), make(chan struct{})
		thread.SetExceptHook(func(th *thread.Thread, _ error) {
			inHook <- th.Alive() && len(thread.Enumerate()) == 2
			<-goOn
		})
		defer thread.SetExceptHook(nil)
		th := startThread(t, t.Context(), "", func(context.Context) error { return errWork })
		if !<-inHook {
			t.Error("it is called for a thread that has ended")
		}
		joined := make(chan error)
		go func() { joined <- th.Join(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-joined:
			t.Error("Join did not wait for the hook:", err)
		default:
		}
		close(goOn)
		if err := <-joined; err != errWork {
			t.Error(err)
		}
	})
}

func TestHookIsCalledThoughJoinAllWaits(t *testing.T) {
	calls := hookInto(t)
	synctest.Test(t, func(t *testing.T) {
		th := startThread(t, t.Context(), "", func(ctx context.Context) error {
			<-ctx.Done()
			return errWork
		})
		all := make(chan error)
		go func() { all <- thread.JoinAll(t.Context()) }()
		synctest.Wait()
		th.Cancel()
		if err := <-all; err != nil || len(*calls) != 1 {
			t.Error(err, *calls)
		}
	})
}

func TestDefaultHookPrintsPanics(t *testing.T) {
	printed := stderrOf(t, func() {
		ended(t, "unlucky", func(context.Context) error { return panicWith("out of paint") })
	})
	for _, part := range []string{"unlucky", "out of paint", "panicWith", "hook_test.go"} {
		if !strings.Contains(printed, part) {
			t.Errorf("%q is missing in\n%s", part, printed)
		}
	}
	if first, _, _ := strings.Cut(printed, "\n"); first != "mp: the thread unlucky ended with a panic: out of paint" {
		t.Error(first)
	}
}

func TestDefaultHookPrintsNothingElse(t *testing.T) {
	if printed := stderrOf(t, func() {
		ended(t, "", func(context.Context) error { return errWork })
		ended(t, "", func(context.Context) error { runtime.Goexit(); return nil })
	}); printed != "" {
		t.Error(printed)
	}
}

func TestNilBringsTheDefaultHookBack(t *testing.T) {
	calls := hookInto(t)
	thread.SetExceptHook(nil)
	printed := stderrOf(t, func() {
		ended(t, "", func(context.Context) error { return panicWith("printed") })
	})
	if len(*calls) != 0 || !strings.Contains(printed, "printed") {
		t.Error(*calls, printed)
	}
}

func TestHookThatPanicsIsPrinted(t *testing.T) {
	thread.SetExceptHook(func(*thread.Thread, error) { panicWith("the hook is broken") })
	defer thread.SetExceptHook(nil)
	var th *thread.Thread
	printed := stderrOf(t, func() {
		th = ended(t, "victim", func(context.Context) error { return errWork })
	})
	for _, part := range []string{"the hook is broken", "victim", errWork.Error(), "panicWith"} {
		if !strings.Contains(printed, part) {
			t.Errorf("%q is missing in\n%s", part, printed)
		}
	}
	if err := th.Join(t.Context()); err != errWork {
		t.Error(err)
	}
}

func TestHookThatCallsGoexit(t *testing.T) {
	thread.SetExceptHook(func(*thread.Thread, error) { runtime.Goexit() })
	defer thread.SetExceptHook(nil)
	th := ended(t, "", func(context.Context) error { return errWork })
	if err := th.Join(t.Context()); err != errWork || len(thread.Enumerate()) != 1 {
		t.Error(err, thread.Enumerate())
	}
}

// spite is an error whose methods panic.
type spite struct{}

func (spite) Error() string   { panic("no text") }
func (spite) Is(error) bool   { panic("no answer") }
func (spite) As(any) bool     { panic("no answer") }
func (spite) Unwrap() []error { panic("no answer") }

func TestErrorWhoseMethodsPanic(t *testing.T) {
	calls := hookInto(t)
	th := startThread(t, t.Context(), "", func(ctx context.Context) error {
		<-ctx.Done()
		return spite{}
	})
	th.Cancel()
	<-th.Done()
	if len(*calls) != 1 {
		t.Error("the hook was not told")
	}
	thread.SetExceptHook(func(_ *thread.Thread, err error) { panic(err) })
	if printed := stderrOf(t, func() {
		ended(t, "spiteful", func(ctx context.Context) error { return spite{} })
	}); !strings.Contains(printed, "spiteful") {
		t.Error(printed)
	}
}

func TestHookGetsThePanicOfARunner(t *testing.T) {
	calls := hookInto(t)
	th, err := thread.StartRunner(t.Context(), "", (*errand)(nil))
	if err != nil {
		t.Fatal(err)
	}
	th.Cancel()
	<-th.Done()
	var p *mp.PanicError
	if len(*calls) != 1 || !errors.As((*calls)[0].err, &p) || !strings.Contains(p.Value, "nil pointer") {
		t.Error(*calls)
	}
}
