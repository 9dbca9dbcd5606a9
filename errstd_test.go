package mp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// errstdAs finds an error of type E whose text is that of the chain.
func errstdAs[E error](t *testing.T, got error) E {
	t.Helper()
	e, ok := errors.AsType[E](got)
	var second E
	if !ok || !errors.As(got, &second) {
		t.Fatalf("%T is no %v: %v", got, reflect.TypeFor[E](), got)
	}
	return e
}

func errstdFails(name string, args ...string) func() error {
	return func() error { return exec.Command(name, args...).Run() }
}

func errstdJSON(text string, to any) func() error {
	return func() error { return json.Unmarshal([]byte(text), to) }
}

type errstdIs struct{ what string }

func (e *errstdIs) Error() string        { return e.what }
func (e *errstdIs) Is(target error) bool { return target == fs.ErrPermission || target == errwireOwn }

func init() {
	for name, c := range errstdCases {
		errwireCases["std "+name] = c
	}
}

// errstdCases are errors of the standard library, most of which package mp does not import.
var errstdCases = map[string]errwireCase{
	"exit": {errstdFails("sh", "-c", "echo oops >&2; exit 3"), func(t *testing.T, got error) {
		if e := errstdAs[*exec.ExitError](t, got); e.ExitCode() != 3 || e.Error() != "exit status 3" || e.Pid() == 0 {
			t.Errorf("%#v", e)
		}
	}},
	"exit stderr": {func() error {
		_, err := exec.Command("sh", "-c", "echo oops >&2; kill -9 $$").Output()
		return fmt.Errorf("run: %w", err)
	},
		func(t *testing.T, got error) {
			e := errstdAs[*exec.ExitError](t, got)
			if string(e.Stderr) != "oops\n" || e.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL || got.Error() != "run: signal: killed" {
				t.Errorf("%#v", e)
			}
		}},
	"no command": {errstdFails("no-such-command-here"), func(t *testing.T, got error) {
		e := errstdAs[*exec.Error](t, got)
		if e.Name != "no-such-command-here" || !errors.Is(e, exec.ErrNotFound) || !errors.Is(got, exec.ErrNotFound) || errors.Is(got, exec.ErrDot) {
			t.Errorf("%#v", e)
		}
	}},
	"no file": {errstdFails("/no/such/command"), errwireDeep(&fs.PathError{Op: "fork/exec", Path: "/no/such/command", Err: syscall.ENOENT})},
	"refused": {func() error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		l.Close()
		_, err = net.Dial("tcp", l.Addr().String())
		return err
	}, func(t *testing.T, got error) {
		e := errstdAs[*net.OpError](t, got)
		if e.Op != "dial" || e.Net != "tcp" || e.Addr.Network() != "tcp" || !strings.HasPrefix(e.Addr.String(), "127.0.0.1:") ||
			e.Source != nil || e.Error() != got.Error() {
			t.Errorf("%#v", e)
		}
		for _, err := range []error{e, got} {
			if !errors.Is(err, syscall.ECONNREFUSED) || errstdAs[*os.SyscallError](t, err).Syscall != "connect" {
				t.Errorf("%v has lost its cause", err)
			}
		}
		if ne := errstdAs[net.Error](t, got); ne.Timeout() || ne.Error() != got.Error() {
			t.Errorf("%#v", ne)
		}
	}},
	"dial timeout": {func() error {
		d := net.Dialer{Deadline: time.Now().Add(-time.Second)}
		_, err := d.Dial("tcp", "127.0.0.1:1")
		return err
	}, func(t *testing.T, got error) {
		if ne := errstdAs[net.Error](t, got); !ne.Timeout() || !errors.Is(got, context.DeadlineExceeded) || !errors.Is(errstdAs[*net.OpError](t, got), context.DeadlineExceeded) {
			t.Errorf("%v", got)
		}
		if e, ok := errors.AsType[errstdTimeout](got); !ok || !e.Timeout() {
			t.Error("no timeout")
		}
	}},
	"dns": {func() error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{UnwrapErr: context.Canceled, Err: "no such host", Name: "x.invalid", IsNotFound: true}}
	}, func(t *testing.T, got error) {
		if e := errstdAs[*net.DNSError](t, got); e.Name != "x.invalid" || !e.IsNotFound || !errors.Is(e, context.Canceled) || !errors.Is(got, context.Canceled) {
			t.Errorf("%#v", e)
		}
	}},
	"addr": {func() error { _, _, err := net.SplitHostPort("x"); return err }, func(t *testing.T, got error) {
		if e := errstdAs[*net.AddrError](t, got); *e != (net.AddrError{Err: "missing port in address", Addr: "x"}) {
			t.Errorf("%#v", e)
		}
	}},
	"network": {func() error { _, err := net.Dial("smoke", "x"); return err }, func(t *testing.T, got error) {
		if e := errstdAs[net.UnknownNetworkError](t, got); e != "smoke" {
			t.Errorf("%#v", e)
		}
	}},
	"url": {func() error {
		return &url.Error{Op: "Get", URL: "http://x/", Err: &net.OpError{Op: "read", Net: "tcp", Err: errwireOwn}}
	}, func(t *testing.T, got error) {
		e := errstdAs[*url.Error](t, got)
		if e.Op != "Get" || e.URL != "http://x/" || !errors.Is(e, errwireOwn) || !errors.Is(got, errwireOwn) || errstdAs[*net.OpError](t, e).Op != "read" {
			t.Errorf("%#v", e)
		}
	}},
	"url parse":  {func() error { _, err := url.Parse(strings.TrimSuffix("http://[::1]", "]")); return err }, func(t *testing.T, got error) { errstdAs[*url.Error](t, got) }},
	"url escape": {func() error { _, err := url.PathUnescape("%zz"); return err }, func(t *testing.T, got error) { errstdAs[url.EscapeError](t, got) }},
	"number":     {func() error { _, err := strconv.Atoi("x"); return err }, errwireDeep(&strconv.NumError{Func: "Atoi", Num: "x", Err: strconv.ErrSyntax})},
	"range":      {func() error { _, err := strconv.ParseInt("999", 10, 8); return fmt.Errorf("n: %w", err) }, errwireIs(`n: strconv.ParseInt: parsing "999": value out of range`, strconv.ErrRange)},
	"time":       {func() error { _, err := time.Parse(time.DateOnly, "x"); return err }, errwireDeep(&time.ParseError{Layout: time.DateOnly, Value: "x", LayoutElem: "2006", ValueElem: "x"})},
	"json": {errstdJSON(`{"a":}`, new(any)), func(t *testing.T, got error) {
		if e := errstdAs[*json.SyntaxError](t, got); e.Offset != 6 || e.Error() != "invalid character '}' looking for beginning of value" {
			t.Errorf("%#v", e)
		}
	}},
	"json type": {errstdJSON(`"x"`, new(int)), func(t *testing.T, got error) {
		if e := errstdAs[*json.UnmarshalTypeError](t, got); e.Type != reflect.TypeFor[int]() || e.Error() != got.Error() {
			t.Errorf("%#v", e)
		}
	}},
	"json own type": {errstdJSON(`"x"`, new(errwireHolder)), func(t *testing.T, got error) {
		if e := errstdAs[*json.UnmarshalTypeError](t, got); e.Type.String() != "mp_test.errwireHolder" || e.Error() != got.Error() {
			t.Errorf("%#v", e)
		}
	}},
	"claims": {func() error { return &errstdIs{"no"} }, func(t *testing.T, got error) {
		errwireIs("no", fs.ErrPermission, errwireOwn)(t, got)
		if errors.Is(got, fs.ErrExist) || errors.Is(got, errwireUnknown) {
			t.Error("claims too much")
		}
	}},
	"nil exit": {func() error { return (*exec.ExitError)(nil) }, func(t *testing.T, got error) {
		if _, ok := errors.AsType[*exec.ExitError](got); ok {
			t.Error("a nil pointer is one")
		}
	}},
	"another's": {func() error { return errwireValue{7} }, func(t *testing.T, got error) {
		if _, ok := errors.AsType[net.Error](got); ok {
			t.Error("everything is a net.Error")
		}
	}},
	"no net error": {func() error { return errors.New("x") }, func(t *testing.T, got error) {
		if _, ok := errors.AsType[net.Error](got); ok {
			t.Error("everything is a net.Error")
		}
	}},
	"deep": {func() error {
		err := error(&net.OpError{Op: "read", Net: "tcp", Err: io.EOF})
		for range 20 {
			err = &url.Error{Op: "Get", URL: "u", Err: err}
		}
		return err
	}, func(t *testing.T, got error) {
		if e := errstdAs[*net.OpError](t, errstdAs[*url.Error](t, got)); e.Err != io.EOF {
			t.Errorf("%#v", e)
		}
	}},
}

// TestStandardErrorsStaySmall: what an error wraps is written once, not once a level and field.
func TestStandardErrorsStaySmall(t *testing.T) {
	t.Parallel()
	if n := len(mp.EncodeError(errstdCases["deep"].make())); n > 10_000 {
		t.Errorf("%d bytes", n)
	}
}

// TestStandardErrorsOfNonsense: what a hostile worker sends for an error of the standard
// library is an error that can be printed, or none of that type.
func TestStandardErrorsOfNonsense(t *testing.T) {
	t.Parallel()
	b := mp.EncodeError(&net.OpError{Op: "read", Net: "tcp", Err: io.EOF})
	for i := range b {
		for _, v := range []byte{0, 1, 0xff} {
			bad := append([]byte(nil), b...)
			bad[i] = v
			err := mp.DecodeError(bad)
			_ = err.Error()
			if e, ok := errors.AsType[*net.OpError](err); ok {
				_ = e.Error()
			}
		}
	}
}

type errstdTimeout interface {
	error
	Timeout() bool
}
