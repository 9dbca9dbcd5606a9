package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// options are what the command line asks for.
type options struct {
	atOnce   int
	timeout  time.Duration
	retries  int
	backoff  mp.Backoff
	out      string // "": bodies are counted only
	keep     bool   // the order of the URLs
	maxBytes int64
	urls     []string // none: they are on the standard input
}

const usage = `Usage: fetch [flags] URL...
       fetch [flags] < file with a URL on each line

Gets the URLs and writes a line for each: final URL, status, bytes, seconds, and with
-o the name of the file. Where there was no answer, or not all of it, the status is
"error" and the line ends with the reason.

The exit code is 0 when all were answered with a status below 400; 1 when one was not,
or when the lines could not be written; 2 when a flag is wrong; 130 after Ctrl-C.

`

// parseFlags reads the command line. It has said what is wrong when it returns an
// error.
func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{backoff: mp.Backoff{Min: 200 * time.Millisecond, Max: 10 * time.Second}}
	fs := flag.NewFlagSet("fetch", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.atOnce, "j", 8, "at most `number` requests at once")
	fs.DurationVar(&o.timeout, "timeout", 30*time.Second, "`time` that one attempt may take, with its redirects and its body")
	fs.IntVar(&o.retries, "retries", 3, "`number` of further attempts after what may pass by itself")
	fs.StringVar(&o.out, "o", "", "write the bodies into this `folder`, otherwise they are counted")
	fs.BoolVar(&o.keep, "k", false, "keep the order of the URLs")
	fs.Int64Var(&o.maxBytes, "max-bytes", 1<<30, "a body of more than `number` bytes is an error")
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.urls = fs.Args()
	if err := o.check(fs); err != nil {
		fmt.Fprintf(stderr, "fetch: %v (-h shows the usage)\n", err)
		return nil, err
	}
	return o, nil
}

func (o *options) check(fs *flag.FlagSet) error {
	switch {
	case o.atOnce < 1 || o.atOnce > 1024:
		return fmt.Errorf("-j %d: must be 1 to 1024", o.atOnce)
	case o.timeout <= 0:
		return fmt.Errorf("-timeout %v: must be more than 0", o.timeout)
	case o.retries < 0 || o.retries > 100:
		return fmt.Errorf("-retries %d: must be 0 to 100", o.retries)
	case o.maxBytes < 1:
		return fmt.Errorf("-max-bytes %d: must be 1 or more", o.maxBytes)
	}
	empty := false
	fs.Visit(func(f *flag.Flag) { empty = empty || f.Name == "o" && o.out == "" })
	if empty {
		return errors.New("-o is empty")
	}
	for _, u := range o.urls {
		if strings.HasPrefix(u, "-") {
			return fmt.Errorf("%s: flags come before URLs", show.Text(u))
		}
	}
	return nil
}

// openOut makes the output folder; without -o there is none, and it is nil.
func (o *options) openOut() (*os.Root, error) {
	if o.out == "" {
		return nil, nil
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return nil, fmt.Errorf("cannot make the output folder: %w", err)
	}
	root, err := os.OpenRoot(o.out)
	if err != nil {
		return nil, fmt.Errorf("cannot open the output folder: %w", err)
	}
	return root, nil
}
