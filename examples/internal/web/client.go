package web

import (
	"fmt"
	"net/http"
)

// maxHeader is the size in bytes that the header of an answer may have.
const maxHeader = 1 << 20

// NewClient is a client with Go's defaults for TLS and proxies, which keeps as many
// connections to one host as there are requests at once. redirect is asked before each
// redirect is followed.
func NewClient(atOnce int, redirect func(req *http.Request, via []*http.Request) error) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = atOnce
	t.MaxResponseHeaderBytes = maxHeader
	return &http.Client{Transport: answers{t}, CheckRedirect: redirect}
}

// answers lets nothing through that is no answer. After 101 the connection would be the
// caller's to speak another protocol, and no timeout would end a Read.
type answers struct{ *http.Transport }

func (a answers) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.Transport.RoundTrip(req)
	if err == nil && resp.StatusCode < http.StatusOK {
		resp.Body.Close()
		return nil, &NoAnswerError{resp.StatusCode}
	}
	return resp, err
}

// NoAnswerError is a status that no final answer can have.
type NoAnswerError struct{ Code int }

// Error implements error.
func (e *NoAnswerError) Error() string { return fmt.Sprintf("status %03d is no answer", e.Code) }
