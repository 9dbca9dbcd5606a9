package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// options are what the command line asks for.
type options struct {
	out     string
	workers int
	size    int
	timeout time.Duration
	memory  byteSize
	strict  bool
	paths   []string
}

const usage = `Usage: thumbnails [flags] folder or image...

Makes a thumbnail of each PNG, JPEG, GIF, WebP, BMP and TIFF image in the folders
(links to folders are not followed), and a contact sheet, index.html.

The exit code is 0 when thumbnails were made, also when some images or the contact
sheet failed (with -strict only when nothing failed); 1 when none was made, or when
the table at the end could not be written; 2 when a flag is wrong; 130 after Ctrl-C.

`

// parseFlags reads the command line. It has said what is wrong when it returns an
// error.
func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{memory: 512 << 20}
	fs := flag.NewFlagSet("thumbnails", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.out, "out", "thumbs", "write thumbnails and index.html into this `folder`")
	fs.IntVar(&o.workers, "j", runtime.GOMAXPROCS(0), "`number` of worker processes")
	fs.IntVar(&o.size, "size", 256, "longest side of a thumbnail in `pixels`")
	fs.DurationVar(&o.timeout, "timeout", 10*time.Second, "`time` that one image may take")
	fs.Var(&o.memory, "memory", "`bytes` that a worker may use, as 300MiB")
	fs.BoolVar(&o.strict, "strict", false, "exit with 1 when anything failed, not only when all did")
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.paths = fs.Args()
	if err := o.check(); err != nil {
		fmt.Fprintf(stderr, "thumbnails: %v (-h shows the usage)\n", err)
		return nil, err
	}
	return o, nil
}

func (o *options) check() error {
	switch {
	case len(o.paths) == 0:
		return errors.New("no folder or image was given")
	case o.out == "":
		return errors.New("-out is empty")
	case o.workers < 1 || o.workers > 1024:
		return fmt.Errorf("-j %d: must be 1 to 1024", o.workers)
	case o.size < 1 || o.size > 4096:
		return fmt.Errorf("-size %d: must be 1 to 4096", o.size)
	case o.timeout <= 0:
		return fmt.Errorf("-timeout %v: must be more than 0", o.timeout)
	}
	for _, p := range o.paths {
		if _, err := os.Lstat(p); err != nil && strings.HasPrefix(p, "-") {
			return fmt.Errorf("%s: flags come before folders", show.Text(p))
		}
	}
	return nil
}

// byteSize is a number of bytes that people write as 300MiB.
type byteSize int64

var units = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1},
}

// Set reads a size; it makes byteSize a flag.Value.
func (b *byteSize) Set(s string) error {
	for _, u := range units {
		if len(s) < len(u.name) || !strings.EqualFold(s[len(s)-len(u.name):], u.name) {
			continue
		}
		number := strings.TrimSpace(s[:len(s)-len(u.name)])
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || strings.ContainsAny(number, "xXnNiIpP_") {
			return errors.New("not a size such as 300MiB, 1.5GB or 1000000")
		}
		if n *= u.bytes; n < 1 || n >= math.MaxInt64 {
			return errors.New("out of range")
		}
		*b = byteSize(n)
		return nil
	}
	return nil
}

// String is the size in the largest unit that leaves at least 1.
func (b *byteSize) String() string { return b.text() }

func (b byteSize) text() string {
	for _, u := range []int{2, 1, 0} {
		if n := float64(b) / units[u].bytes; n >= 1 {
			return strings.TrimSuffix(strconv.FormatFloat(n, 'f', 1, 64), ".0") + " " + units[u].name
		}
	}
	return strconv.FormatInt(int64(b), 10) + " bytes"
}
