package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/show"
	"github.com/gomultiprocessing/mp/examples/internal/web"
)

// input is where the URLs come from.
type input struct {
	urls []string
	r    io.Reader // read when there are no urls

	err error // why r could not be read to its end; set before the last job is taken
}

// maxLine is the length in bytes of a line on the standard input; servers take URLs of
// some 8,000.
const maxLine = 1 << 16

// job is one URL to get. Its attempts are made one after the other: the pool is one of
// goroutines, and so all of them see what one has noted here.
type job struct {
	raw       string
	url       *url.URL
	wrong     error  // there is no asking for it
	file      string // to write; "": none
	began     time.Time
	notBefore time.Time // as the server has asked
}

// all gives the jobs, one by one as they are wanted: a list on the standard input may be
// long, and may come slowly.
func (in *input) all(names *names) func(yield func(*job) bool) {
	return func(yield func(*job) bool) {
		take := func(raw string) bool {
			j := &job{raw: raw}
			if j.url, j.wrong = web.Parse(raw); j.wrong == nil && names != nil {
				j.file = names.of(j.url)
			}
			return yield(j)
		}
		if len(in.urls) > 0 {
			for _, raw := range in.urls {
				if !take(raw) {
					return
				}
			}
			return
		}
		lines := bufio.NewScanner(in.r)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			line := strings.TrimSpace(lines.Text())
			if line != "" && !strings.HasPrefix(line, "#") && !take(line) {
				return
			}
		}
		switch err := lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			in.err = fmt.Errorf("the standard input has a line of more than %d bytes: it and what follows was not read", maxLine)
		case err != nil:
			in.err = fmt.Errorf("cannot read the standard input: %w", err)
		}
	}
}

// total is the number of URLs; -1: not known.
func (in *input) total() int {
	if len(in.urls) == 0 {
		return -1
	}
	return len(in.urls)
}

// String is the URL as it was given, less its password, and without white space: it is one
// field of a line.
func (j *job) String() string {
	if j.url == nil {
		return show.Text(strings.Join(strings.Fields(j.raw), "%20"))
	}
	return show.Text(j.url.Redacted())
}
