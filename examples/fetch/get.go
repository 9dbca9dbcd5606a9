package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/show"
	"github.com/gomultiprocessing/mp/examples/internal/web"
)

// answer is what became of a URL.
type answer struct {
	URL    string // the last one, after redirects, as it may be shown
	Status int
	Bytes  int64
	Took   time.Duration // from the first attempt on, with the waits between them
	File   string        // "": none was written
}

// getter gets URLs.
type getter struct {
	opts   *options
	client *http.Client
	store  *store // nil: bodies are counted
}

func newGetter(opts *options, s *store) *getter {
	return &getter{opts: opts, store: s, client: web.NewClient(opts.atOnce, followable)}
}

// maxRedirects is how many one request may follow: browsers stop at 20, Go at 10.
const maxRedirects = 10

// redirectError says why a redirect was not followed. It stays that way.
type redirectError struct{ reason string }

func (e *redirectError) Error() string { return e.reason }

func followable(req *http.Request, via []*http.Request) error {
	if err := web.Check(req.URL); err != nil {
		return &redirectError{fmt.Sprintf("redirected to %s: %v", show.Text(req.URL.Redacted()), err)}
	}
	if len(via) >= maxRedirects {
		return &redirectError{fmt.Sprintf("more than %d redirects", maxRedirects)}
	}
	web.EscapeQuery(req.URL)
	return nil
}

// statusError is an answer that asks to come back. When no attempt is left it is the
// answer.
type statusError struct{ answer answer }

func (e *statusError) Error() string { return fmt.Sprintf("status %d", e.answer.Status) }

// tooLong says that a body passed the limit.
type tooLong struct{ limit int64 }

func (e *tooLong) Error() string { return fmt.Sprintf("more than %d bytes", e.limit) }

// errTimeout says that an attempt has used up its time.
var errTimeout = errors.New("no answer in time")

// get makes one attempt. An answer that asks to come back is an error as long as it is one.
func (g *getter) get(ctx context.Context, j *job) (answer, error) {
	if j.began.IsZero() {
		j.began = time.Now()
	}
	if j.wrong != nil {
		return answer{}, j.wrong
	}
	if err := web.SleepUntil(ctx, j.notBefore); err != nil {
		return answer{}, err
	}
	one, cancel := context.WithTimeoutCause(ctx, g.opts.timeout, errTimeout)
	defer cancel()
	a, err := g.attempt(one, j)
	a.Took = time.Since(j.began)
	switch {
	case err == nil && web.StatusMayPass(a.Status):
		return answer{}, &statusError{a}
	case err != nil && ctx.Err() == nil && errors.Is(context.Cause(one), errTimeout):
		return answer{}, fmt.Errorf("%w: not done after %v", errTimeout, g.opts.timeout)
	}
	return a, err
}

// maxWait is how long a URL waits because its server asks for it. Longer is for another
// run of the program.
const maxWait = time.Minute

// final says whether another attempt would end as this one.
func (j *job) final(err error) bool {
	var exists *existsError
	var redirect *redirectError
	var long *tooLong
	return j.wrong != nil || time.Until(j.notBefore) > maxWait || errors.Is(err, errWrite) || errors.As(err, &exists) ||
		errors.As(err, &redirect) || errors.As(err, &long) || !web.MayPass(err)
}

// attempt asks for a URL and takes its body, as it comes, to a file or to nowhere.
func (g *getter) attempt(ctx context.Context, j *job) (answer, error) {
	if j.file != "" {
		if err := g.store.free(j.file); err != nil {
			return answer{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.url.String(), nil)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("User-Agent", "mp-fetch/1.0 (+https://github.com/gomultiprocessing/mp)")
	req.Header.Set("Accept-Encoding", "identity") // the bytes that the server has, not what compression makes of them
	resp, err := g.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{URL: show.Text(resp.Request.URL.Redacted()), Status: resp.StatusCode}
	if web.StatusMayPass(a.Status) {
		j.notBefore = time.Now().Add(web.RetryAfter(resp.Header, time.Now()))
	}
	if resp.ContentLength > g.opts.maxBytes {
		return answer{}, &tooLong{g.opts.maxBytes}
	}
	body := &limited{r: resp.Body, left: g.opts.maxBytes, limit: g.opts.maxBytes}
	if j.file != "" && a.Status/100 == 2 {
		a.File = j.file
		a.Bytes, err = g.store.write(j.file, body)
	} else {
		a.Bytes, err = io.Copy(io.Discard, body)
	}
	return a, err
}

// limited reads a body up to a limit. Passing it is an error, not an end.
type limited struct {
	r           io.Reader
	left, limit int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p[:min(int64(len(p)), l.left+1)])
	if l.left -= int64(n); l.left < 0 {
		return 0, &tooLong{l.limit}
	}
	return n, err
}
