package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// compare crawls the site in three ways, one after the other, and prints how long each
// takes.
func compare(ctx context.Context, opts *options, stdout, stderr io.Writer) error {
	ways := []struct {
		name  string
		crawl func(c *crawl, ctx context.Context) error
	}{
		{"one by one", (*crawl).oneByOne},
		{fmt.Sprintf("%d goroutines get, %d parse", opts.atOnce, opts.processes), (*crawl).onGoroutines},
		{fmt.Sprintf("%d goroutines get, %d processes parse", opts.atOnce, opts.processes), (*crawl).run},
	}
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "pages\tseconds\tpages/s\ttimes as fast\t how")
	var first time.Duration
	for _, way := range ways {
		c, err := newCrawl(ctx, opts)
		if err != nil {
			return err
		}
		began := time.Now()
		err = way.crawl(c, ctx)
		took := time.Since(began)
		c.site.client.CloseIdleConnections() // each way makes its own
		if err == nil {
			err = c.first(stderr)
		}
		if err != nil {
			return err
		}
		if first == 0 {
			first = took
		}
		s := took.Seconds()
		fmt.Fprintf(t, "%d\t%.2f\t%.0f\t%.1f\t %s\n", c.out.count, s, float64(c.out.count)/s, first.Seconds()/s, way.name)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("cannot write the table: %w", err)
	}
	return nil
}

// oneByOne crawls as a program without mp would: a page is got, parsed, and then comes the
// next one.
func (c *crawl) oneByOne(ctx context.Context) error {
	c.seen.begin(c.start())
	todo := []string{c.start()}
	for len(todo) > 0 {
		u := todo[0]
		todo = todo[1:]
		p, err := c.site.get(ctx, u)
		var status *statusError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &status):
			p = status.page
		case err != nil:
			p = &page{URL: u, Error: err.Error()}
		}
		var is parsed
		if p.Body != nil {
			if is, err = parsePage.Do(ctx, *p); err != nil {
				p.Error = err.Error()
			}
		}
		if p.Location != "" {
			is.Links = []string{p.Location}
		}
		if err := c.out.line(p, is); err != nil {
			return err
		}
		todo = append(todo, c.seen.add(u, is.Links, p.Location != "")...)
	}
	return nil
}

// onGoroutines crawls as run does, but for the constructor of the pool that parses.
func (c *crawl) onGoroutines(ctx context.Context) error {
	parsers, err := thread.NewPool(mp.PoolConfig{Name: "crawl", Workers: c.opts.processes})
	if err != nil {
		return err
	}
	return c.runWith(ctx, parsers)
}
