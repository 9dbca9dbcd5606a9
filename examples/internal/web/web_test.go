package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/web"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "0": 0, " 7 ": 7 * time.Second, "-3": 0, "1.5": 0, "soon": 0, "99999999999999999999": 0,
		"Wed, 02 Jan 2030 03:05:05 GMT": time.Minute, "Wed, 02 Jan 2030 03:03:05 GMT": 0,
	} {
		if got := web.RetryAfter(http.Header{"Retry-After": {v}}, now); got != want {
			t.Errorf("%q is %v, want %v", v, got, want)
		}
	}
	if got := web.RetryAfter(http.Header{"Retry-After": {"9000000000000"}}, now); got < 24*time.Hour {
		t.Errorf("a very long time is %v", got)
	}
}

func TestMayPass(t *testing.T) {
	t.Parallel()
	about := func(err error) error { return &url.Error{Op: "Get", URL: "http://u:p@x/", Err: err} }
	for _, tt := range []struct {
		err    error
		want   bool
		reason string
	}{
		{about(io.EOF), true, "EOF"},
		{about(io.ErrUnexpectedEOF), true, "unexpected EOF"},
		{about(context.DeadlineExceeded), true, "no answer in time"},
		{about(context.Canceled), false, "context canceled"},
		{about(&net.OpError{Op: "dial", Err: errors.New("refused")}), true, "dial: refused"},
		{about(&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}), false, "lookup x: no such host"},
		{about(&net.DNSError{Err: "server misbehaving", Name: "x", IsTemporary: true}), true, "lookup x: server misbehaving"},
		{about(http.ErrSchemeMismatch), false, http.ErrSchemeMismatch.Error()},
		{fmt.Errorf("said %w", errors.New("\x1b[31m")), true, `"said \x1b[31m"`},
	} {
		if got := web.MayPass(tt.err); got != tt.want {
			t.Errorf("%v may pass: %v, want %v", tt.err, got, tt.want)
		}
		if got := web.Reason(tt.err); got != tt.reason {
			t.Errorf("%v is told as %s, want %s", tt.err, got, tt.reason)
		}
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"http://x/ä": "http://x/ä", "a b": "a b", "\x1b[31m": `"\x1b[31m"`, "a\nb": `"a\nb"`, "\xff": `"\xff"`, "\u202ex": `"\u202ex"`,
	} {
		if got := web.Shown(s); got != want {
			t.Errorf("%q is shown as %s, want %s", s, got, want)
		}
	}
}

func TestSleepUntil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := web.SleepUntil(t.Context(), began.Add(time.Hour)); err != nil || time.Since(began) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := web.SleepUntil(ctx, began.Add(24*time.Hour))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 61*time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
