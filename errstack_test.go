//go:build unix

package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// The acts of errstackAct, each in a function of its own.
func errstackIndex(s []int) int { return s[3] }

func errstackNil(p *errwirePointer) int { return p.Code }

func errstackStandard(n int) string { return strings.Repeat("x", n) }

func errstackAgain() {
	defer func() { panic(fmt.Sprint("again: ", recover())) }()
	errstackIndex(nil)
}

func errstackLoop() {
	for {
		time.Sleep(time.Millisecond)
	}
}

var errstackAct = mp.Register("errstack/act", func(_ context.Context, what string) (int, error) {
	switch what {
	case "index":
		return errstackIndex(nil), nil
	case "nil":
		return errstackNil(nil), nil
	case "standard":
		return len(errstackStandard(-1)), nil
	case "again":
		errstackAgain()
	case "loop":
		errstackLoop()
	case "value":
		panic("mp: (odd) value")
	}
	return 0, nil
})

// errstackPools are a pool on each carrier.
func errstackPools(t *testing.T, cfg mp.PoolConfig) map[string]*mp.Pool {
	t.Helper()
	goroutines, err := thread.NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(goroutines.Terminate)
	return map[string]*mp.Pool{"processes": testkit.NewPool(t, cfg), "goroutines": goroutines}
}

// errstackOwn are frames of mp's own, which no stack should show.
var errstackOwn = regexp.MustCompile(`(?m)^(github\.com/gomultiprocessing/mp(\.|/internal/|/thread)|runtime/debug\.Stack)`)

// TestPanicsSayWhere: the innermost place of the program's own, in the text, and the stack with %+v.
func TestPanicsSayWhere(t *testing.T) {
	t.Parallel()
	for carrier, p := range errstackPools(t, mp.PoolConfig{Workers: 1}) {
		for what, want := range map[string]string{
			"index":    `panic: index out of range \[3\] with length 0 \(errstack_test.go:\d+ mp_test.errstackIndex\)$`,
			"nil":      `panic: invalid memory address or nil pointer dereference \(errstack_test.go:\d+ mp_test.errstackNil\)$`,
			"standard": `panic: strings: negative Repeat count \(errstack_test.go:\d+ mp_test.errstackStandard\)$`,
			"again":    `panic: again: .* \(errstack_test.go:\d+ mp_test.errstackAgain.*\)$`,
			"value":    `panic: (mp: )?\(odd\) value \(errstack_test.go:\d+ mp_test.*\)$`,
		} {
			_, err := mp.Apply(testkit.Ctx(t), p, errstackAct, what)
			if !regexp.MustCompile(`^mp: task errstack/act\[0\]: ` + want).MatchString(fmt.Sprint(err)) {
				t.Errorf("%s, %s: %v", carrier, what, err)
			}
			long := fmt.Sprintf("%+v", err)
			if !strings.HasPrefix(long, err.Error()+"\n\ngoroutine ") || !strings.Contains(long, "errstack_test.go:") || errstackOwn.MatchString(long) {
				t.Errorf("%s, %s: %s", carrier, what, long)
			}
			if e, ok := errors.AsType[*mp.PanicError](err); !ok || !strings.Contains(e.Stack, "errstack_test.go:") {
				t.Errorf("%s, %s: %#v", carrier, what, err)
			}
		}
	}
}

// TestPanicsOfCallAndThreadSayWhere: one line in the text each.
func TestPanicsOfCallAndThreadSayWhere(t *testing.T) {
	t.Parallel()
	_, err := mp.Call(testkit.Ctx(t), errstackAct, "index", mp.ProcessConfig{Stderr: io.Discard})
	testkit.Says(t, err, "panic: index out of range [3] with length 0 (errstack_test.go:", " mp_test.errstackIndex)")
	th, err := thread.Start(testkit.Ctx(t), "index", func(context.Context) error { return errors.New(fmt.Sprint(errstackIndex(nil))) })
	if err != nil {
		t.Fatal(err)
	}
	testkit.Says(t, th.Join(testkit.Ctx(t)), "panic: index out of range [3] with length 0 (errstack_test.go:", " mp_test.errstackIndex)")
}

// TestTimeoutsSayWhere: where the task was, on both carriers.
func TestTimeoutsSayWhere(t *testing.T) {
	t.Parallel()
	p := testkit.NewPool(t, mp.PoolConfig{Workers: 1, Grace: 300 * time.Millisecond})
	_, err := mp.Apply(testkit.Ctx(t), p, errstackAct, "loop", mp.Timeout(50*time.Millisecond))
	testkit.Says(t, err, "not done after 50ms (errstack_test.go:", " mp_test.errstackLoop)")
	if long := fmt.Sprintf("%+v", err); !strings.Contains(long, "mp_test.errstackLoop") || errstackOwn.MatchString(long) {
		t.Error(long)
	}
}

// TestErrorsPrint: %v, %s, %q and %#v are as ever, and %+v tells more.
func TestErrorsPrint(t *testing.T) {
	t.Parallel()
	remote := errwireThrough(errwireUnknown)
	died := &mp.WorkerDiedError{PID: 1, ExitCode: 3, Stderr: "last words\n"}
	for _, err := range []error{
		&mp.PanicError{Value: "v", Stack: "s"}, &mp.TimeoutError{After: time.Second, Stack: "s"}, &mp.TaskError{Func: "f", Err: io.EOF},
		&mp.MapError{Total: 3, Errs: []*mp.TaskError{{Func: "f", Err: io.EOF}}}, &mp.ExitError{PID: 1, Code: 2, Stderr: "w"}, died, remote,
	} {
		if s := fmt.Sprintf("%v|%s|%q|%40s", err, err, err, err); s != fmt.Sprintf("%s|%s|%q|%40s", err.Error(), err.Error(), err.Error(), err.Error()) {
			t.Errorf("%s", s)
		}
		if s := fmt.Sprintf("%#v", err); !strings.HasPrefix(s, fmt.Sprintf("&%s{", strings.TrimPrefix(fmt.Sprintf("%T", err), "*"))) {
			t.Errorf("%s", s)
		}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{remote, "errwire: unknown (a *errors.errorString of another process: if it is a sentinel, errors.Is finds it after mp.RegisterErrors)"},
		{errwireThrough(errvaluePlain{"x"}), "x (a mp_test.errvaluePlain of another process: errors.As finds it after mp.RegisterErrorType)"},
		{&mp.TaskError{Func: "f", Err: remote}, "mp: task f[0]: errwire: unknown (a *errors.errorString of another process: if it is a sentinel, errors.Is finds it after mp.RegisterErrors)"},
		{&mp.TaskError{Func: "f", Err: &mp.PanicError{Value: "v", Stack: "no stack"}}, "mp: task f[0]: panic: v\n\nno stack"},
		{&mp.MapError{Total: 2, Errs: []*mp.TaskError{{Func: "f", Err: died}, {Func: "f", Index: 1, Err: io.EOF}}},
			"mp: 2 of 2 tasks failed\ntask f[0]: the worker (pid 1) died: exit code 3\nstderr:\nlast words\ntask f[1]: EOF"},
	} {
		if got := fmt.Sprintf("%+v", c.err); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// FuzzStack: what a worker says of a stack is never trusted to be one.
func FuzzStack(f *testing.F) {
	f.Add("goroutine 1 [running]:\npanic({0x1, 0x2})\n\t/x/panic.go:1 +0x1\nmain.f(...)\n\t/x/main.go:17 +0x2\ncreated by main.g in goroutine 2\n\t/x/main.go:3\n")
	f.Add("goroutine \n\t\n(\n\t:")
	f.Add("")
	f.Fuzz(func(t *testing.T, stack string) {
		_ = fmt.Sprintf("%v%+v", &mp.PanicError{Value: "v", Stack: stack}, &mp.TimeoutError{Stack: stack})
	})
}
