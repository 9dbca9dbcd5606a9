package mp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

type (
	// errwireOp is the commonest type of error in Go.
	errwireOp struct {
		Op  string
		Err error
	}
	errwireMany struct {
		What string
		Errs []error
		ch   chan int
	}
	errwireOther struct{ error }
)

func (e *errwireOp) Error() string     { return e.Op + ": " + fmt.Sprint(e.Err) }
func (e *errwireOp) Unwrap() error     { return e.Err }
func (e errwireMany) Error() string    { return fmt.Sprint(e.What, e.Errs) }
func (e errwireMany) Unwrap() []error  { return e.Errs }
func (e errwireOther) Error() string   { return "other " + fmt.Sprint(e.error) }
func (e errwireOther) Is(t error) bool { return t == fs.ErrInvalid }

func init() {
	mp.RegisterErrorType[*errwireOp]("errwire/op")
	mp.RegisterErrorType[errwireMany]("errwire/many")
	mp.RegisterErrorType[errwireOther]("errwire/other")
	for name, c := range errwireFieldCases {
		errwireCases["field "+name] = c
	}
}

// errwireThrough is what arrives, without a process.
func errwireThrough(err error) error { return mp.DecodeError(mp.EncodeError(err)) }

func errwireNest(n int, err error) error {
	for range n {
		err = &errwireOp{"x", err}
	}
	return err
}

// errwireFieldCases are errors of registered types that hold errors.
var errwireFieldCases = map[string]errwireCase{
	"sentinel": {func() error { return &errwireOp{"op", io.EOF} }, errwireDeep(&errwireOp{"op", io.EOF})},
	"own":      {func() error { return &errwireOp{"op", errwireOwn} }, errwireIs("op: errwire: own", errwireOwn)},
	"nothing":  {func() error { return &errwireOp{"op", nil} }, errwireDeep(&errwireOp{"op", nil})},
	"unknown": {func() error { return &errwireOp{"op", errors.New("x")} }, func(t *testing.T, got error) {
		errwireIs("op: x")(t, got)
		op, ok := errors.AsType[*errwireOp](got)
		if !ok || op.Op != "op" {
			t.Fatalf("%#v", got)
		}
		errwireRemote("*errors.errorString", "x")(t, op.Err)
	}},
	"wrapped": {func() error {
		return fmt.Errorf("a: %w", &errwireOp{"b", fmt.Errorf("c: %w", &errwireOp{"d", syscall.ENOENT})})
	},
		errwireIs("a: b: c: d: no such file or directory", fs.ErrNotExist, syscall.ENOENT)},
	"path error": {func() error { _, err := os.Open("/does/not/exist"); return &errwireOp{"op", err} },
		errwireDeep(&errwireOp{"op", &fs.PathError{Op: "open", Path: "/does/not/exist", Err: syscall.ENOENT}})},
	"many":        {func() error { return errwireMany{What: "m", Errs: []error{io.EOF, nil, errwireValue{3}}} }, errwireIs("m[EOF <nil> value 3]", io.EOF, errwireValue{3})},
	"a channel":   {func() error { return errwireMany{What: "m", Errs: []error{io.EOF}, ch: make(chan int)} }, errwireRemote("mp_test.errwireMany", "m[EOF]")},
	"embedded":    {func() error { return errwireOther{io.EOF} }, errwireIs("other EOF", fs.ErrInvalid)},
	"nil pointer": {func() error { return &errwireOp{"op", (*fs.PathError)(nil)} }, func(t *testing.T, got error) { _ = got.(*errwireOp).Error() }},
	"permanent":   {func() error { return &errwireOp{"op", mp.Permanent(io.EOF)} }, errwireDeep(&errwireOp{"op", io.EOF})},
	"circle": {func() error { e := &errwireOp{Op: "op"}; e.Err = errwireDeaf{e}; return e }, func(t *testing.T, got error) {
		errwireIs("op: deaf")(t, got)
	}},
	"deep": {func() error { return errwireNest(40, io.EOF) }, errwireDeep(errwireNest(40, io.EOF))},
	"deeper": {func() error { return errwireNest(200, io.EOF) }, func(t *testing.T, got error) {
		errwireIs(strings.Repeat("x: ", 200)+"EOF", io.EOF)(t, got)
		if _, ok := errors.AsType[*errwireOp](got); !ok {
			t.Errorf("%T", got)
		}
	}},
	"too many": {func() error { return errwireMany{Errs: slicesRepeat(error(&errwireOp{"x", io.EOF}), 3000)} }, func(t *testing.T, got error) {
		r, ok := got.(*mp.RemoteError)
		if !ok || !errors.Is(got, io.EOF) || len(r.Message) < 3000*6 {
			t.Errorf("%T %.100v", got, got)
		}
	}},
	"deep sentinel": {func() error {
		err := error(errwireOwn)
		for range 100 {
			err = fmt.Errorf("x%w", err)
		}
		return fmt.Errorf("%w and %w", err, errwireUnknown)
	}, errwireIs(strings.Repeat("x", 100)+"errwire: own and errwire: unknown", errwireOwn)},
	"deep errno": {func() error {
		err := error(syscall.ENOENT)
		for range 70 {
			err = &fs.PathError{Op: "o", Path: "p", Err: err}
		}
		return err
	}, func(t *testing.T, got error) {
		if !errors.Is(got, syscall.ENOENT) {
			t.Errorf("%v", got)
		}
	}},
}

// errwireDeaf wraps, but does not say what.
type errwireDeaf struct{ err error }

func (e errwireDeaf) Error() string { return "deaf" }
func (e errwireDeaf) Unwrap() error { return e.err }

func slicesRepeat[T any](v T, n int) (s []T) {
	for range n {
		s = append(s, v)
	}
	return s
}

// TestErrorWrapsAreShort: a long text that is wrapped again and again travels once.
func TestErrorWrapsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 2<<20)
	err := fmt.Errorf("%s%w", long, io.EOF)
	for range 48 {
		err = fmt.Errorf("%w", err)
	}
	b := mp.EncodeError(err)
	if len(b) > 6<<20 {
		t.Errorf("%d bytes", len(b))
	}
	got := mp.DecodeError(b)
	if got.Error() != err.Error() || !errors.Is(got, io.EOF) {
		t.Errorf("%.100v", got)
	}
	below := got.(*mp.RemoteError).Unwrap()[0].Error()
	if !strings.HasSuffix(below, "ü... (4128771 bytes more)") || len(below) > 66_000 {
		t.Errorf("%d bytes: %.100q", len(below), below[max(0, len(below)-100):])
	}
	// What tasks failed with is told nowhere else.
	m := &mp.MapError{Total: 3}
	for i := range 3 {
		m.Errs = append(m.Errs, &mp.TaskError{Func: "f", Index: i, Err: errors.New(long)})
	}
	if got := errwireThrough(m); got.Error() != m.Error() {
		t.Errorf("%.100v", got)
	}
}

// TestErrorEncodingIsQuick: also where nothing travels as it should.
func TestErrorEncodingIsQuick(t *testing.T) {
	t.Parallel()
	// Each level fails to be written as its type, and is written as a RemoteError.
	err := error(io.EOF)
	for range 60 {
		err = errwireMany{Errs: []error{err, io.EOF}, ch: make(chan int)}
	}
	if b := mp.EncodeError(err); len(b) > 1<<20 || !errors.Is(mp.DecodeError(b), io.EOF) {
		t.Errorf("%d bytes", len(b))
	}
}

type errwireHolder struct {
	Err  error
	Any  any
	More []error
}

var errwireEchoHolder = testkit.Echo[errwireHolder]("holder")

// TestErrorsInValues: what is the same in every process, and what is exact.
func TestErrorsInValues(t *testing.T) {
	t.Parallel()
	_, open := os.Open("/does/not/exist")
	testkit.Same(t, errwireEchoHolder, errwireHolder{Err: io.EOF, Any: context.DeadlineExceeded, More: []error{nil, syscall.ENOENT, open, errwireOwn, context.Canceled}})
	remote := errwireThrough(fmt.Errorf("a: %w", io.EOF))
	testkit.Same(t, errwireEchoHolder, errwireHolder{Err: remote, Any: map[error]int{io.EOF: 1, fs.ErrExist: 2}, More: []error{
		&mp.TaskError{Func: "f", Err: &mp.WorkerDiedError{PID: 1, Signal: syscall.SIGKILL}}, &mp.MapError{Total: 1, Errs: []*mp.TaskError{{Err: remote}}},
		&mp.ExitError{Code: 3}, &mp.TimeoutError{After: 1}, &mp.PanicError{Value: "v"},
	}})
	got, err := mp.Call(testkit.Ctx(t), errwireEchoHolder, errwireHolder{Err: io.EOF, Any: errwireOwn})
	if err != nil || got.Err != io.EOF || got.Any != errwireOwn {
		t.Errorf("%v, %v", got, err)
	}
	_, err = mp.Call(testkit.Ctx(t), errwireEchoHolder, errwireHolder{Any: bytes.NewBuffer(nil)})
	if text := fmt.Sprint(err); !strings.Contains(text, "in.Any: ") || !strings.Contains(text, "*bytes.Buffer") || !strings.Contains(text, "mp.RegisterType[bytes.Buffer](") {
		t.Error(err)
	}
}
