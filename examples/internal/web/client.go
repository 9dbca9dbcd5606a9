package web

import "net/http"

// maxHeader is the size in bytes that the header of an answer may have.
const maxHeader = 1 << 20

// NewClient is a client with Go's defaults for TLS and proxies, which keeps as many
// connections to one host as there are requests at once. redirect is asked before each
// redirect is followed.
func NewClient(atOnce int, redirect func(req *http.Request, via []*http.Request) error) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = atOnce
	t.MaxResponseHeaderBytes = maxHeader
	return &http.Client{Transport: t, CheckRedirect: redirect}
}
