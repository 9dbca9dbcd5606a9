// Command crawl reads the pages of a web site: goroutines get them, processes parse them.
//
//	go run ./examples/crawl http://localhost:8080/
//	go run ./examples/crawl -compare http://localhost:8080/
//
// To wait for servers costs nothing, and a goroutine can do it. HTML from anywhere is
// another matter: what makes the parser crash, hang or eat the memory takes one process with
// it, which is replaced, and the page is parsed again; a page that does it every time has
// a line that says so.
//
// There is one line of JSON for each page, as it is done:
//
//	{"url":"http://localhost:8080/","status":200,"title":"Home","links":["http://localhost:8080/a"],"time":0.0031}
//
// time is in seconds and that of getting it; links are all that go out from the page, to
// other sites too; error says what went wrong, where something did. A redirect is a page
// whose link is where it leads. Only text/html is read and parsed, as far as -max-bytes.
//
// The crawl stays on the site of its first page: the same scheme, host and port. It does what
// robots.txt says (RFC 9309, and Crawl-delay), makes a pause of -delay between requests,
// and ends when no page is left, or -pages were asked for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/examples/internal/web"
)

// How the program ends.
const (
	exitDone        = 0 // also when some pages could not be read: their lines say it
	exitFailed      = 1 // the first page could not be read, or the crawl had to end early
	exitUsage       = 2
	exitInterrupted = 130 // as shells say it of Ctrl-C
)

func main() {
	mp.Main() // a worker process serves from here and never returns

	log.SetOutput(io.Discard) // net/http's client logs what servers send unasked for
	os.Exit(program(os.Args[1:], os.Stdout, os.Stderr))
}

func program(args []string, stdout, stderr io.Writer) int {
	opts, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once

	work := write
	if opts.compare {
		work = compare
	}
	err = work(ctx, opts, stdout, stderr)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "interrupted")
		return exitInterrupted
	case err != nil:
		fmt.Fprintf(stderr, "crawl: %s\n", web.Reason(err))
		return exitFailed
	}
	return exitDone
}

// write crawls once and writes the lines.
func write(ctx context.Context, opts *options, stdout, stderr io.Writer) (err error) {
	c, err := newCrawl(ctx, opts)
	if err != nil {
		return err
	}
	defer c.site.client.CloseIdleConnections()
	c.out.w = stdout
	if opts.out != "" {
		f, createErr := os.Create(opts.out)
		if createErr != nil {
			return fmt.Errorf("cannot make the output: %w", createErr)
		}
		defer func() {
			if closeErr := f.Close(); err == nil && closeErr != nil {
				err = fmt.Errorf("cannot write the output: %w", closeErr)
			}
		}()
		c.out.w = f
	}
	if d := c.site.pause.between; d > opts.delay {
		fmt.Fprintf(stderr, "robots.txt asks for %v between requests\n", d)
	}
	if err := c.run(ctx); err != nil {
		return err
	}
	return c.first(stderr)
}
