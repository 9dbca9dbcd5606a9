package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
		"": 0, "0": 0, " 7 ": 7 * time.Second, "-3": 0, "1.5": 0, "soon": 0,
		"Wed, 02 Jan 2030 03:05:05 GMT": time.Minute, "Wed, 02 Jan 2030 03:03:05 GMT": 0,
	} {
		if got := web.RetryAfter(http.Header{"Retry-After": {v}}, now); got != want {
			t.Errorf("%q is %v, want %v", v, got, want)
		}
	}
	for _, v := range []string{"9000000000000", "99999999999999999999"} {
		if got := web.RetryAfter(http.Header{"Retry-After": {v}}, now); got < 24*time.Hour {
			t.Errorf("a very long time, %s, is %v", v, got)
		}
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
		{about(&net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")}), false, "remote error: tls: handshake failure"},
		{about(&net.OpError{Op: "local error", Err: errors.New("tls: bad record MAC")}), false, "local error: tls: bad record MAC"},
		{about(errors.New("tls: server selected unsupported protocol version 301")), false, "tls: server selected unsupported protocol version 301"},
		{about(&web.NoAnswerError{Code: 101}), false, "status 101 is no answer"},
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

// What a server answers with must be an answer. A connection that is switched to another
// protocol has no end that a timeout could bring.
func TestNoAnswers(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade", "000 None", "042 Odd"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			io.WriteString(c, "HTTP/1.1 "+status+"\r\n\r\n")
			io.Copy(io.Discard, c) // until the client goes
		}))
		client := web.NewClient(1, nil)
		resp, err := client.Get(s.URL)
		if err == nil {
			resp.Body.Close()
		}
		var is *web.NoAnswerError
		if !errors.As(err, &is) || fmt.Sprintf("%03d", is.Code) != status[:3] {
			t.Errorf("%s: %v", status, err)
		}
		client.CloseIdleConnections()
		s.Close()
	}
}

// A URL holds no white space, so that it can stand in a line and in a request.
func TestParseEscapes(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://x/a b?c d#e f":        "http://x/a%20b?c%20d#e%20f",
		"http://x/?a\u3000ä&b=%20+\"": "http://x/?a%E3%80%80%C3%A4&b=%20+\"",
		"http://x/?a=b":               "http://x/?a=b",
		"http://x/?":                  "http://x/?",
	} {
		u, err := web.Parse(raw)
		if err != nil || u.String() != want {
			t.Errorf("%q becomes %v (%v), want %s", raw, u, err, want)
		}
	}
}
