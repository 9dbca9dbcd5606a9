package errtext_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

var errClosed = errors.New("mp: closed")

func TestOnePrefix(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want string
	}{
		{errtext.Errorf("mp: NewPool: %w", errClosed), "mp: NewPool: closed"},
		{errtext.Errorf("%w: the pool is nil", errClosed), "mp: closed: the pool is nil"},
		{errtext.Errorf("mp: a: %w: %w", errClosed, fmt.Errorf("x: %w", errClosed)), "mp: a: closed: x: closed"},
		{errtext.Errorf("mp: a; %w", errClosed), "mp: a; closed"},
		{errtext.Errorf("mp: a (%w)", errClosed), "mp: a (closed)"},
		{errtext.Errorf("lamp: %w", io.EOF), "lamp: EOF"},
	} {
		if test.err.Error() != test.want {
			t.Errorf("%q, want %q", test.err, test.want)
		}
		if !errors.Is(test.err, errClosed) && !errors.Is(test.err, io.EOF) {
			t.Errorf("%q has lost what it wraps", test.err)
		}
	}
}

func TestLimitsAreNamed(t *testing.T) {
	t.Parallel()
	for errno, want := range map[syscall.Errno]string{syscall.EMFILE: "ulimit -n, which is ", syscall.EFBIG: "ulimit -f"} {
		err := errtext.Errorf("mp: outer: %w", errtext.Errorf("mp: inner: %w", errno))
		if !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "ulimit") != 1 || !errors.Is(err, errno) {
			t.Errorf("%q", err)
		}
	}
	if err := errtext.Errorf("mp: x: %w", syscall.EACCES); err.Error() != "mp: x: "+syscall.EACCES.Error() {
		t.Errorf("%q", err)
	}
}
