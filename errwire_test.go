package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

var (
	errwireOwn     = errors.New("errwire: own")
	errwireUnknown = errors.New("errwire: unknown")
	errwireStruct  = errwireComparable{"struct sentinel"}
)

type (
	errwireComparable   struct{ text string }
	errwireValue        struct{ Code int }
	errwirePointer      struct{ Code, hidden int }
	errwireWrapper      struct{ Inner []string }
	errwireUntravelling struct{ C chan int }
	errwireUncomparable struct{ parts []string }
	errwireHolding      struct{ v any } // comparable by its type
	errwirePanics       struct{}
	errwireCircle       struct{ next error }
	errwireTwins        struct{ wraps []error }
)

func (e errwireComparable) Error() string    { return e.text }
func (e errwireValue) Error() string         { return fmt.Sprint("value ", e.Code) }
func (e *errwirePointer) Error() string      { return fmt.Sprint("pointer ", e.Code, e.hidden) }
func (e errwireWrapper) Error() string       { return fmt.Sprint("wrapper ", e.Inner) }
func (e errwireWrapper) Unwrap() error       { return io.EOF }
func (e errwireUntravelling) Error() string  { return "untravelling" }
func (e errwireUntravelling) Unwrap() error  { return fs.ErrExist }
func (e errwireUncomparable) Error() string  { return fmt.Sprint("uncomparable ", e.parts) }
func (e errwireHolding) Error() string       { return "holding" }
func (e *errwirePanics) Error() string       { panic("no text") }
func (e *errwirePanics) Unwrap() error       { panic("no cause") }
func (e *errwirePanics) Is(error) bool       { panic("no identity") }
func (e *errwirePanics) As(any) bool         { panic("no type") }
func (e *errwireCircle) Error() string       { return "circle" }
func (e *errwireCircle) Unwrap() error       { return e.next }
func (e *errwireTwins) Error() string        { return "twins" }
func (e *errwireTwins) Unwrap() []error      { return e.wraps }
func (e errwireUncomparable) Unwrap() error  { return io.ErrNoProgress }
func (e errwireHolding) Unwrap() error       { return io.ErrShortWrite }
func (e *errwirePointer) MarshalText() error { return nil }

func init() {
	mp.RegisterError("errwire/own", errwireOwn)
	mp.RegisterError("errwire/struct", errwireStruct)
	mp.RegisterErrorType[errwireValue]("errwire/value")
	mp.RegisterErrorType[*errwirePointer]("errwire/pointer")
	mp.RegisterErrorType[errwireWrapper]("errwire/wrapper")
	mp.RegisterErrorType[errwireUntravelling]("errwire/untravelling")
}

// errwireCase is an error and what must be true of what arrives.
type errwireCase struct {
	make  func() error
	check func(t *testing.T, got error)
}

// errwireCases are the errors that travel.
var errwireCases = map[string]errwireCase{
	"wrapped":        {func() error { return fmt.Errorf("a: %w", fmt.Errorf("b: %w", io.EOF)) }, errwireIs("a: b: EOF", io.EOF)},
	"wrapped two":    {func() error { return fmt.Errorf("%w and %w", io.EOF, errwireOwn) }, errwireIs("EOF and errwire: own", io.EOF, errwireOwn)},
	"joined":         {func() error { return errors.Join(io.EOF, errwireValue{3}) }, errwireIs("EOF\nvalue 3", io.EOF, errwireValue{3})},
	"not registered": {func() error { return errwireUnknown }, errwireRemote("*errors.errorString", "errwire: unknown")},
	"struct":         {func() error { return errwireStruct }, errwireEqual(errwireStruct)},
	"value":          {func() error { return errwireValue{7} }, errwireEqual(errwireValue{7})},
	"pointer": {func() error { return &errwirePointer{7, 8} }, func(t *testing.T, got error) {
		if p, ok := got.(*errwirePointer); !ok || *p != (errwirePointer{7, 8}) {
			t.Errorf("%#v", got)
		}
	}},
	"value wrapped":    {func() error { return fmt.Errorf("w: %w", errwireValue{7}) }, errwireIs("w: value 7", errwireValue{7})},
	"registered wraps": {func() error { return errwireWrapper{[]string{"x"}} }, errwireIs("wrapper [x]", io.EOF)},
	"untravelling": {func() error { return errwireUntravelling{make(chan int)} }, func(t *testing.T, got error) {
		errwireRemote("mp_test.errwireUntravelling", "untravelling")(t, got)
		errwireIs("untravelling", fs.ErrExist)(t, got)
	}},
	"path error": {func() error { _, err := os.Open("/does/not/exist"); return err },
		func(t *testing.T, got error) {
			want := &fs.PathError{Op: "open", Path: "/does/not/exist", Err: syscall.ENOENT}
			if !reflect.DeepEqual(got, want) || !errors.Is(got, fs.ErrNotExist) || !os.IsNotExist(got) {
				t.Errorf("%#v", got)
			}
		}},
	"link error": {func() error { return os.Rename("/does/not/exist", "/neither/here") },
		errwireDeep(&os.LinkError{Op: "rename", Old: "/does/not/exist", New: "/neither/here", Err: syscall.ENOENT})},
	"syscall error":  {func() error { return os.NewSyscallError("socket", syscall.EACCES) }, errwireDeep(&os.SyscallError{Syscall: "socket", Err: syscall.EACCES})},
	"errno":          {func() error { return syscall.EPIPE }, errwireDeep(syscall.EPIPE)},
	"odd path error": {func() error { return &fs.PathError{Op: "open", Path: "x", Err: errwireOwn} }, errwireDeep(&fs.PathError{Op: "open", Path: "x", Err: errwireOwn})},
	"empty path error": {func() error { return &fs.PathError{Op: "open", Path: "x"} }, func(t *testing.T, got error) {
		if !strings.HasPrefix(got.Error(), "open x: ") {
			t.Error(got)
		}
	}},
	"net closed":         {func() error { return net.ErrClosed }, errwireIs("use of closed network connection", net.ErrClosed)},
	"net closed wrapped": {func() error { return &net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed} }, errwireIs("read tcp: use of closed network connection", net.ErrClosed)},
	"net timeout": {func() error { return &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded} },
		errwireIs("read tcp: i/o timeout", os.ErrDeadlineExceeded)},
	"mp timeout": {func() error { return &mp.TimeoutError{After: time.Second, Stack: "there"} }, func(t *testing.T, got error) {
		errwireDeep(&mp.TimeoutError{After: time.Second, Stack: "there"})(t, got)
		errwireIs("mp: not done after 1s", context.DeadlineExceeded)(t, got)
	}},
	"mp panic":   {func() error { return &mp.PanicError{Value: "v", Stack: "s"} }, errwireDeep(&mp.PanicError{Value: "v", Stack: "s"})},
	"permanent":  {func() error { return mp.Permanent(mp.Permanent(io.EOF)) }, errwireEqual(io.EOF)},
	"permanent2": {func() error { return mp.Permanent(errwireUnknown) }, errwireRemote("*errors.errorString", "errwire: unknown")},
	"nested death": {func() error { return &mp.TaskError{Func: "f", Err: &mp.WorkerDiedError{PID: 1, ExitCode: -9}} }, func(t *testing.T, got error) {
		var died *mp.WorkerDiedError
		if errors.As(got, &died) {
			t.Error("it was not this worker that died")
		}
		task, ok := got.(*mp.TaskError)
		if !ok || task.Func != "f" {
			t.Fatalf("%#v", got)
		}
		errwireRemote("*mp.WorkerDiedError", "mp: the worker (pid 1) died: exit code -9")(t, task.Err)
	}},
	"task error": {func() error { return &mp.TaskError{Func: "f", Index: 3, Attempts: 2, PID: 9, Err: io.EOF} },
		errwireDeep(&mp.TaskError{Func: "f", Index: 3, Attempts: 2, PID: 9, Err: io.EOF})},
	"map error": {func() error {
		return &mp.MapError{Total: 5, Errs: []*mp.TaskError{{Func: "f", Err: io.EOF}, {Func: "f", Index: 4, Err: errwireOwn}}}
	}, errwireDeep(&mp.MapError{Total: 5, Errs: []*mp.TaskError{{Func: "f", Err: io.EOF}, {Func: "f", Index: 4, Err: errwireOwn}}})},
	"huge map error": {func() error {
		e := &mp.MapError{Total: 5000}
		for i := range e.Total {
			e.Errs = append(e.Errs, &mp.TaskError{Func: "f", Index: i, Err: io.EOF})
		}
		return e
	}, errwireIs("mp: 5000 of 5000 tasks failed; task f[0]: EOF; task f[1]: EOF; task f[2]: EOF; and 4997 more", io.EOF)},
	"exit error": {func() error {
		return &mp.ExitError{PID: 1, Code: -9, Signal: syscall.SIGKILL, Reason: "r", Stderr: "s"}
	},
		errwireDeep(&mp.ExitError{PID: 1, Code: -9, Signal: syscall.SIGKILL, Reason: "r", Stderr: "s"})},
	"nil path error":    {func() error { return (*fs.PathError)(nil) }, errwireNil("*fs.PathError")},
	"nil link error":    {func() error { return (*os.LinkError)(nil) }, errwireNil("*os.LinkError")},
	"nil syscall error": {func() error { return (*os.SyscallError)(nil) }, errwireNil("*os.SyscallError")},
	"nil timeout":       {func() error { return (*mp.TimeoutError)(nil) }, errwireNil("*mp.TimeoutError")},
	"nil panic":         {func() error { return (*mp.PanicError)(nil) }, errwireNil("*mp.PanicError")},
	"nil task error":    {func() error { return (*mp.TaskError)(nil) }, errwireNil("*mp.TaskError")},
	"uncomparable":      {func() error { return errwireUncomparable{[]string{"a"}} }, errwireIs("uncomparable [a]", io.ErrNoProgress)},
	"holding":           {func() error { return errwireHolding{[]int{1}} }, errwireIs("holding", io.ErrShortWrite)},
	"panicking":         {func() error { return &errwirePanics{} }, errwireRemote("*mp_test.errwirePanics", "*mp_test.errwirePanics, whose text panics: no text")},
	"nil pointer":       {func() error { return (*errwireCircle)(nil) }, errwireRemote("*mp_test.errwireCircle", "circle")},
	"circle":            {errwireMakeCircle, errwireRemote("*mp_test.errwireCircle", "circle")},
	"bushy circle":      {func() error { e := &errwireTwins{}; e.wraps = []error{e, io.EOF, nil, e, e}; return e }, errwireIs("twins", io.EOF)},
	"deep": {func() error {
		err := io.EOF
		for range 45 {
			err = fmt.Errorf("x%w", err)
		}
		return err
	}, errwireIs(strings.Repeat("x", 45)+"EOF", io.EOF)},
	"deeper": {func() error {
		err := io.EOF
		for range 500 {
			err = fmt.Errorf("x%w", err)
		}
		return err
	}, errwireIs(strings.Repeat("x", 500) + "EOF")},
	"wide": {func() error {
		errs := []error{io.EOF}
		for i := range 5000 {
			errs = append(errs, errwireValue{i})
		}
		return errors.Join(errs...)
	}, func(t *testing.T, got error) {
		if !errors.Is(got, io.EOF) || !errors.Is(got, errwireValue{900}) || strings.Count(got.Error(), "\n") != 5000 {
			t.Errorf("%.100v", got)
		}
	}},
	"deep paths": {func() error {
		err := error(syscall.ENOENT)
		for range 70 {
			err = &fs.PathError{Op: "o", Path: "p", Err: err}
		}
		return err
	}, func(t *testing.T, got error) { _ = got.Error() }},
	"long text": {func() error { return errors.New(strings.Repeat("long ", 1<<20)) }, errwireRemote("*errors.errorString", strings.Repeat("long ", 1<<20))},
	"odd text":  {func() error { return errors.New("\x00\xff\n") }, errwireRemote("*errors.errorString", "\x00\xff\n")},
	"typed nil": {func() error { var e *errwirePointer; return e }, errwireNil("*mp_test.errwirePointer")},
}

func errwireMakeCircle() error {
	a, b := new(errwireCircle), new(errwireCircle)
	a.next, b.next = b, a
	return a
}

func errwireIs(text string, targets ...error) func(*testing.T, error) {
	return func(t *testing.T, got error) {
		t.Helper()
		if got.Error() != text {
			t.Errorf("%.300q", got.Error())
		}
		for _, target := range targets {
			if !errors.Is(got, target) {
				t.Errorf("%.300q is not %v", got.Error(), target)
			}
		}
	}
}

func errwireEqual(want error) func(*testing.T, error) {
	return func(t *testing.T, got error) {
		t.Helper()
		if got != want {
			t.Errorf("%#v", got)
		}
	}
}

func errwireDeep(want error) func(*testing.T, error) {
	return func(t *testing.T, got error) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%#v, want %#v", got, want)
		}
	}
}

func errwireRemote(typ, text string) func(*testing.T, error) {
	return func(t *testing.T, got error) {
		t.Helper()
		if r, ok := got.(*mp.RemoteError); !ok || r.Type != typ || r.Message != text {
			t.Errorf("%T %.300q", got, got.Error())
		}
	}
}

// errwireNil is for a nil pointer in an error, whose methods panic.
func errwireNil(typ string) func(*testing.T, error) {
	return errwireRemote(typ, typ+", whose text panics: runtime error: invalid memory address or nil pointer dereference")
}

var errwireFail = mp.Register("errwire/fail", func(_ context.Context, name string) (mp.None, error) {
	return mp.None{}, errwireCases[name].make()
})

func init() { errwireAgain = errwireRegisterAgain() }

// errwireAgain fails with the error that another process failed with.
var errwireAgain *mp.Func[string, mp.None]

func errwireRegisterAgain() *mp.Func[string, mp.None] {
	return mp.Register("errwire/again", func(ctx context.Context, name string) (mp.None, error) {
		_, err := mp.Call(ctx, errwireFail, name, mp.ProcessConfig{Stderr: io.Discard})
		return mp.None{}, errwireCause(err)
	})
}

func errwireCause(err error) error {
	if e, ok := err.(*mp.ExitError); ok {
		return e.Err
	}
	return fmt.Errorf("no ExitError: %w", err)
}

// TestErrorTravels: through one process in the test, and through two.
func TestErrorTravels(t *testing.T) {
	t.Parallel()
	for name, c := range errwireCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := mp.Call(testkit.Ctx(t), errwireFail, name, mp.ProcessConfig{Stderr: io.Discard})
			c.check(t, errwireCause(err))
			if testing.Short() || name == "deeper" || name == "deep paths" {
				return
			}
			_, err = mp.Call(testkit.Ctx(t), errwireAgain, name, mp.ProcessConfig{Stderr: io.Discard})
			c.check(t, errwireCause(err))
		})
	}
}

var errwireSentinels = []error{
	context.Canceled, context.DeadlineExceeded,
	io.EOF, io.ErrUnexpectedEOF, io.ErrShortWrite, io.ErrShortBuffer, io.ErrNoProgress, io.ErrClosedPipe,
	fs.ErrInvalid, fs.ErrPermission, fs.ErrExist, fs.ErrNotExist, fs.ErrClosed, fs.SkipDir, fs.SkipAll,
	os.ErrInvalid, os.ErrPermission, os.ErrExist, os.ErrNotExist, os.ErrClosed,
	os.ErrNoDeadline, os.ErrDeadlineExceeded, os.ErrProcessDone, os.ErrNoHandle, errors.ErrUnsupported,
	mp.ErrNoMain, mp.ErrNotRegistered, mp.ErrOpen, mp.ErrClosed, mp.ErrTerminated, mp.ErrCancelled, mp.ErrMemory,
	mp.ErrFull, mp.ErrEmpty, mp.ErrNotOwner, mp.ErrAbandoned, mp.ErrBroken, errwireOwn,
}

var errwireAll = mp.Register("errwire/all", func(context.Context, mp.None) (mp.None, error) {
	var errs []error
	for i, err := range errwireSentinels {
		errs = append(errs, err, fmt.Errorf("%d: %w", i, err))
	}
	return mp.None{}, errors.Join(errs...)
})

// TestErrorSentinels: each arrives as itself.
func TestErrorSentinels(t *testing.T) {
	t.Parallel()
	_, err := mp.Call(testkit.Ctx(t), errwireAll, mp.None{}, mp.ProcessConfig{Stderr: io.Discard})
	r, ok := errwireCause(err).(*mp.RemoteError)
	if !ok || len(r.Unwrap()) != 2*len(errwireSentinels) {
		t.Fatalf("%#v", err)
	}
	for i, want := range errwireSentinels {
		if got := r.Unwrap()[2*i]; got != want {
			t.Errorf("%v arrived as %#v", want, got)
		}
		if got := r.Unwrap()[2*i+1]; !errors.Is(got, want) || got.Error() != fmt.Sprintf("%d: %v", i, want) {
			t.Errorf("%v, wrapped, arrived as %#v", want, got)
		}
	}
}

// TestErrorRegistration: misuse panics, and says what is wrong.
func TestErrorRegistration(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"RegisterError":     func() { mp.RegisterError("errwire/late", errors.New("x")) },
		"RegisterErrorType": func() { mp.RegisterErrorType[*net.OpError]("errwire/late") },
		"RegisterType":      func() { mp.RegisterType[errwireTwins]("errwire/late") },
		"Register": func() {
			mp.Register("errwire/late", func(context.Context, int) (int, error) { return 0, nil })
		},
	} {
		if got := testkit.PanicText(f); !strings.Contains(got, name+`("errwire/late") after Main`) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
