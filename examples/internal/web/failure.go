package web

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// MayPass says whether a request that failed may succeed when it is made again: the
// network and the server's moods change, certificates and names do so slowly.
func MayPass(err error) bool {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		noTLS       tls.RecordHeaderError
		address     *net.AddrError
		noAnswer    *NoAnswerError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, http.ErrSchemeMismatch):
		return false
	case errors.As(err, &name):
		return name.IsTemporary || name.IsTimeout
	case errors.As(err, &certificate), errors.As(err, &noTLS), errors.As(err, &address), errors.As(err, &noAnswer):
		return false
	}
	return !aboutTLS(err)
}

// aboutTLS says whether the two sides did not agree on TLS. Most such errors have no type
// of their own.
func aboutTLS(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") { // an alert
		return true
	}
	return strings.HasPrefix(cause(err).Error(), "tls: ")
}

// StatusMayPass says whether a server that gave this status asks to come back.
func StatusMayPass(code int) bool {
	switch code {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// RetryAfter is how long a server asks to wait; 0: it does not say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.Atoi(v); err == nil || errors.Is(err, strconv.ErrRange) { // out of range n is the nearest
		const most = 1 << 30 // about 34 years: more does not fit a Duration for long
		return time.Duration(max(0, min(n, most))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Reason is why a request failed, as a person may read it in one line.
func Reason(err error) string {
	err = cause(err)
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	return show.Text(err.Error())
}
