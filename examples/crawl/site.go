package main

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/web"
)

// site is what is crawled.
type site struct {
	prefix   string // of the URLs of all its pages: scheme, host and port
	client   *http.Client
	robots   *robots
	pause    pause
	timeout  time.Duration
	maxBytes int64
}

// page is what came for a URL. It travels to the process that parses it.
type page struct {
	URL      string
	Status   int
	Type     string // as the server has it, with its charset
	Body     []byte // of HTML
	Location string // of a redirect
	Error    string
	Took     time.Duration
}

func newSite(ctx context.Context, opts *options) (*site, error) {
	s := &site{
		prefix:  (&url.URL{Scheme: opts.start.Scheme, Host: opts.start.Host}).String(),
		client:  web.NewClient(opts.atOnce, notFollowed),
		timeout: opts.timeout, maxBytes: opts.maxBytes,
	}
	var err error
	if s.robots, err = s.getRobots(ctx); err != nil {
		s.client.CloseIdleConnections()
		return nil, err
	}
	s.pause.between = max(opts.delay, s.robots.delay)
	s.pause.hold(s.pause.between) // robots.txt was a request, too
	return s, nil
}

// notFollowed makes a redirect an answer: where it leads is a page of its own, which may
// be of another site, closed to robots, or known already.
func notFollowed(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// followed is for robots.txt, which the RFC lets be elsewhere, five redirects away; what is
// further is not there.
func followed(_ *http.Request, via []*http.Request) error {
	if len(via) > 5 {
		return http.ErrUseLastResponse
	}
	return nil
}

// userAgent begins with the name to which robots.txt speaks.
const userAgent = product + "/1.0 (+https://github.com/gomultiprocessing/mp)"

func (s *site) request(ctx context.Context, client *http.Client, u string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", userAgent)
	return client.Do(req)
}

// getRobots gets the rules of the site. A site that has none allows everything; one that
// cannot say now what it allows, nothing.
func (s *site) getRobots(ctx context.Context) (*robots, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	client := *s.client
	client.CheckRedirect = followed
	resp, err := s.request(ctx, &client, s.prefix+"/robots.txt")
	if err != nil {
		return nil, fmt.Errorf("robots.txt cannot be read, so no page may be: %s", web.Reason(err))
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("robots.txt cannot be read, so no page may be: status %d", resp.StatusCode)
	case resp.StatusCode/100 != 2:
		return &robots{}, nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRobots))
	if err != nil {
		return nil, fmt.Errorf("robots.txt cannot be read, so no page may be: %s", web.Reason(err))
	}
	return readRobots(text), nil
}

// has says whether a URL, in its normal form, is of this site.
func (s *site) has(u string) bool { return strings.HasPrefix(u, s.prefix+"/") }

// allows says whether a page of the site may be asked for.
func (s *site) allows(u string) bool {
	parsed, err := url.Parse(u)
	return err == nil && s.robots.allow(parsed)
}

// statusError is an answer that asks to come back. When no attempt is left it is the
// answer.
type statusError struct{ page *page }

func (e *statusError) Error() string { return fmt.Sprintf("status %d", e.page.Status) }

// maxHold is how long a server can make the crawl wait by one answer.
const maxHold = time.Minute

// get makes one attempt to get a page.
func (s *site) get(ctx context.Context, u string) (*page, error) {
	if err := s.pause.wait(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	resp, err := s.request(ctx, s.client, u)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	p := &page{URL: u, Status: resp.StatusCode}
	switch {
	case web.StatusMayPass(p.Status):
		s.pause.hold(min(web.RetryAfter(resp.Header, time.Now()), maxHold))
		err = &statusError{p}
	case p.Status/100 == 3:
		p.Location = location(resp)
	case p.Status/100 == 2:
		err = p.read(resp, s.maxBytes)
	}
	if p.Status/100 != 2 { // so that the connection can be used again
		io.CopyN(io.Discard, resp.Body, 4<<10) // it need not
	}
	p.Took = time.Since(began)
	return p, err
}

// location is where a redirect leads, in its normal form; "": to nowhere on the web.
func location(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil || web.Check(to) != nil {
		return ""
	}
	return normal(to).String()
}

// read takes the body if it is HTML. Nothing else is even read.
func (p *page) read(resp *http.Response, most int64) error {
	p.Type = resp.Header.Get("Content-Type")
	kind, _, _ := mime.ParseMediaType(p.Type) // a parameter may be wrong, or all: then it is none
	if kind != "text/html" {
		return nil
	}
	var err error
	p.Body, err = io.ReadAll(io.LimitReader(resp.Body, most+1))
	if int64(len(p.Body)) > most {
		p.Body = p.Body[:most]
		p.Error = fmt.Sprintf("only the first %d bytes were read", most)
	}
	return err
}
