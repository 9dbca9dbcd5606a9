package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/examples/internal/show"
	"github.com/gomultiprocessing/mp/examples/internal/web"
	"github.com/gomultiprocessing/mp/thread"
)

// crawl is one crawl of a site.
//
// Pages go in a circle: from toGet the goroutines take URLs and put what came into toParse,
// from there the processes take it, and the links that they find come back as new URLs in
// toGet. toParse is bounded: when the parsers are behind, the goroutines wait. toGet is not,
// or all might wait for each other; the limit of pages bounds it.
//
// An item of toGet is done when the links of its page are in toGet themselves. So when all
// are done there is nothing left anywhere, and that is the end.
type crawl struct {
	opts    *options
	site    *site
	seen    *seen
	out     *output
	toGet   *mp.Queue[string]
	toParse *mp.Queue[page]
}

// newCrawl gets robots.txt and makes ready for the first page. Lines go to nowhere as long as
// out is not told otherwise.
func newCrawl(ctx context.Context, opts *options) (*crawl, error) {
	s, err := newSite(ctx, opts)
	if err != nil {
		return nil, err
	}
	c := &crawl{opts: opts, site: s, out: &output{w: io.Discard}}
	c.seen = newSeen(opts, func(u string) bool {
		return ctx.Err() == nil && s.has(u) && s.allows(u) // with many rules and links it takes long
	})
	if !c.site.allows(c.start()) {
		return nil, fmt.Errorf("robots.txt does not allow %s", c.start())
	}
	if c.toGet, err = thread.NewQueue[string](mp.Unbounded); err != nil {
		return nil, err
	}
	c.toParse, err = thread.NewQueue[page](2 * opts.processes)
	return c, err
}

func (c *crawl) start() string { return c.opts.start.String() }

// grace is what goroutines have to end their requests when the crawl ends early.
const grace = time.Second

// run crawls with processes that parse.
func (c *crawl) run(ctx context.Context) error {
	cfg := mp.PoolConfig{
		Name: "crawl", Workers: c.opts.processes,
		Stdout: io.Discard, Stderr: io.Discard, // last words of a parser are in its page's line
	}
	if runtime.GOOS == "linux" {
		cfg.MaxMemory = 512 << 20
	}
	parsers, err := mp.NewPool(cfg)
	if err != nil {
		return fmt.Errorf("cannot start the parsers: %w", err)
	}
	return c.runWith(ctx, parsers)
}

// runWith crawls with a pool that parses, of processes or goroutines, and ends it.
func (c *crawl) runWith(ctx context.Context, parsers *mp.Pool) error {
	defer parsers.Terminate() // they are idle by then, unless the crawl ends early
	getters, err := thread.NewPool(mp.PoolConfig{Name: "get", Workers: c.opts.atOnce, Grace: grace})
	if err != nil {
		return err
	}
	defer getters.Join(context.Background()) // its errors were told
	defer getters.Terminate()

	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	c.seen.begin(c.start())
	if err := c.toGet.Put(ctx, c.start()); err != nil {
		return err
	}
	var stages sync.WaitGroup
	for _, stage := range []func() error{
		func() error { return c.get(ctx, getters) },
		func() error { return c.parse(ctx, parsers) },
	} {
		stages.Go(func() {
			if err := stage(); err != nil {
				fail(err)
			}
		})
	}
	c.toGet.Join(ctx) // or the crawl ends early: ctx says why
	c.toGet.Close()
	stages.Wait()
	return context.Cause(ctx)
}

// backoff is between attempts to get or to parse a page.
var backoff = mp.Backoff{Min: 50 * time.Millisecond, Max: 5 * time.Second}

// How often what failed is tried again. A parser may be killed for no fault of its page.
const (
	getAgain   = 3
	parseAgain = 5
)

// parseTime is for one page; a page of some megabytes takes part of a second.
const parseTime = 10 * time.Second

// get gets pages until there are no more. The window is small: what waits in it are whole pages.
func (c *crawl) get(ctx context.Context, pool *mp.Pool) error {
	defer c.toParse.Close()
	get := thread.Func(func(ctx context.Context, u string) (*page, error) {
		p, err := c.site.get(ctx, u)
		if err != nil && !web.MayPass(err) {
			err = mp.Permanent(err)
		}
		return p, err
	})
	for o := range mp.Outcomes(ctx, pool, get, items(ctx, c.toGet), mp.Chunk(1), mp.Window(2*c.opts.atOnce), mp.Retries(getAgain, backoff)) {
		if err := callError(ctx, o.Err); err != nil {
			return err
		}
		p := pageOf(o)
		var err error
		if p.Body != nil {
			err = c.toParse.Put(ctx, *p)
		} else {
			err = c.finish(ctx, p, parsed{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parse parses pages until there are no more.
func (c *crawl) parse(ctx context.Context, pool *mp.Pool) error {
	for o := range mp.Outcomes(ctx, pool, parsePage, items(ctx, c.toParse), mp.Chunk(1), mp.Window(2*c.opts.processes),
		mp.Timeout(parseTime), mp.Retries(parseAgain, backoff)) {
		if err := callError(ctx, o.Err); err != nil {
			return err
		}
		p := o.In
		switch {
		case o.Err != nil:
			p.Error = parseReason(o.Err)
		case p.Error == "":
			p.Error = o.Out.Error
		}
		if err := c.finish(ctx, &p, o.Out); err != nil {
			return err
		}
	}
	return nil
}

// items are those of a queue until it is closed and empty, or ctx ends.
func items[T any](ctx context.Context, q *mp.Queue[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v, err := range q.All(ctx) {
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// callError is an error that is about the call as a whole and not about a page.
func callError(ctx context.Context, err error) error {
	var task *mp.TaskError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !errors.As(err, &task):
		return err
	}
	return nil
}

// pageOf is what became of a page, whether it came or not.
func pageOf(o mp.Outcome[string, *page]) *page {
	var status *statusError
	switch {
	case o.Err == nil:
		return o.Out
	case errors.As(o.Err, &status):
		return status.page
	}
	var task *mp.TaskError
	errors.As(o.Err, &task) // callError has seen to it
	return &page{URL: o.In, Error: web.Reason(task.Err), Took: o.Wall}
}

// parseReason is why a page could not be parsed.
func parseReason(err error) string {
	var task *mp.TaskError
	if !errors.As(err, &task) {
		return show.Text(err.Error())
	}
	return fmt.Sprintf("cannot be parsed, %d attempts: %s", task.Attempts, show.Text(task.Err.Error()))
}

// finish writes the line of a page and puts its links, as far as they are new, into toGet.
func (c *crawl) finish(ctx context.Context, p *page, is parsed) error {
	if p.Location != "" {
		is.Links = []string{p.Location}
	}
	if err := c.out.line(p, is); err != nil {
		return err
	}
	for _, u := range c.seen.add(p.URL, is.Links, p.Location != "") {
		if err := c.toGet.Put(ctx, u); err != nil {
			return err
		}
	}
	return c.toGet.TaskDone()
}
