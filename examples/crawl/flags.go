package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/show"
	"github.com/gomultiprocessing/mp/examples/internal/web"
)

// options are what the command line asks for.
type options struct {
	atOnce    int
	processes int
	depth     int
	pages     int
	delay     time.Duration
	timeout   time.Duration
	maxBytes  int64
	out       string
	compare   bool
	start     *url.URL
}

const usage = `Usage: crawl [flags] URL

Reads the pages of a site, beginning with that URL, and writes a line of JSON for each:
url, status, title, links, time in seconds, and error where something went wrong.

The exit code is 0 when the crawl came to its end, also when some pages could not be
read; 1 when the first page could not be, or when it had to end early; 2 when a flag is
wrong; 130 after Ctrl-C.

`

// polite is the pause between requests if none is given. A server on this machine is one's
// own.
const polite = 100 * time.Millisecond

// parseFlags reads the command line. It has said what is wrong when it returns an
// error.
func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("crawl", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.atOnce, "j", 8, "at most `number` requests at once")
	fs.IntVar(&o.processes, "processes", runtime.GOMAXPROCS(0), "`number` of processes that parse")
	fs.IntVar(&o.depth, "depth", -1, "follow at most `number` links from the first page on; -1: without a limit")
	fs.IntVar(&o.pages, "pages", 10_000, "ask for at most `number` pages")
	fs.DurationVar(&o.delay, "delay", polite, "`time` between the begins of two requests; the default is 0 for a server on this machine")
	fs.DurationVar(&o.timeout, "timeout", 30*time.Second, "`time` that one request may take, with the body")
	fs.Int64Var(&o.maxBytes, "max-bytes", 4<<20, "read at most `number` bytes of a page")
	fs.StringVar(&o.out, "o", "", "write the lines into this `file`, anew, otherwise to the standard output")
	fs.BoolVar(&o.compare, "compare", false, "write no lines, but how long it takes one by one, with goroutines, and with goroutines and processes")
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if err := o.check(fs.Args()); err != nil {
		fmt.Fprintf(stderr, "crawl: %v (-h shows the usage)\n", err)
		return nil, err
	}
	if !given["delay"] && isHere(o.start.Hostname()) {
		o.delay = 0
	}
	return o, nil
}

func (o *options) check(args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("no URL was given")
	case len(args) > 1 && strings.HasPrefix(args[1], "-"):
		return fmt.Errorf("%s: flags come before the URL", show.Text(args[1]))
	case len(args) > 1:
		return fmt.Errorf("%s: one URL only", show.Text(args[1]))
	case o.atOnce < 1 || o.atOnce > 1024:
		return fmt.Errorf("-j %d: must be 1 to 1024", o.atOnce)
	case o.processes < 1 || o.processes > 1024:
		return fmt.Errorf("-processes %d: must be 1 to 1024", o.processes)
	case o.depth < -1:
		return fmt.Errorf("-depth %d: must be 0 or more, or -1 for no limit", o.depth)
	case o.pages < 1:
		return fmt.Errorf("-pages %d: must be 1 or more", o.pages)
	case o.delay < 0:
		return fmt.Errorf("-delay %v: must not be negative", o.delay)
	case o.timeout <= 0:
		return fmt.Errorf("-timeout %v: must be more than 0", o.timeout)
	case o.maxBytes < 1:
		return fmt.Errorf("-max-bytes %d: must be 1 or more", o.maxBytes)
	}
	if o.compare && o.out != "" {
		return errors.New("-o: -compare writes no lines")
	}
	u, err := web.Parse(args[0])
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", show.Text(args[0]), err)
	case u.User != nil:
		return errors.New("the URL has a user name in it, which is not supported")
	}
	if o.depth == -1 {
		o.depth = noLimit
	}
	o.start = normal(u)
	return nil
}

// isHere says whether a host is this machine.
func isHere(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
