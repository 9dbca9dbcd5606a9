// Command thumbnails makes thumbnails of all images it finds, in worker
// processes, and a contact sheet of them.
//
//	go run ./examples/thumbnails -out thumbs ~/Pictures
//
// Image decoders are the reason for the processes: a file from anywhere may make
// one hang, crash or eat the memory. Here such a file costs one worker, which is
// replaced, and a line that says so; the rest goes on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// How the program ends.
const (
	exitDone        = 0
	exitFailed      = 1 // nothing could be done, or told; with -strict: something could not
	exitUsage       = 2
	exitInterrupted = 130 // as shells say it of Ctrl-C
)

func main() {
	mp.Main() // a worker process serves from here and never returns

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

	search := find(ctx, opts.paths, opts.out)
	for _, dir := range search.empty {
		fmt.Fprintf(stderr, "no images in %s\n", show.Text(dir))
	}
	for _, p := range search.problems {
		fmt.Fprintf(stderr, "%s: %s\n", show.Text(p.Path), show.Text(p.Reason))
	}
	if len(search.pictures) == 0 {
		if ctx.Err() != nil {
			fmt.Fprintln(stderr, "interrupted while looking for images")
			return exitInterrupted
		}
		fmt.Fprintln(stderr, "nothing to do: no images found")
		return exitFailed
	}
	return work(ctx, opts, search, stdout, stderr)
}

// work makes the thumbnails and tells about it.
func work(ctx context.Context, opts *options, search *search, stdout, stderr io.Writer) int {
	if err := os.MkdirAll(opts.out, 0o777); err != nil {
		fmt.Fprintf(stderr, "cannot make the output folder: %s\n", show.Text(err.Error()))
		return exitFailed
	}
	sweep(ctx, opts.out)
	began := time.Now()
	run, err := makeAll(ctx, opts, search.pictures, newProgress(stderr, len(search.pictures)))
	if err != nil {
		fmt.Fprintf(stderr, "cannot start the workers: %v\n", err)
		return exitFailed
	}
	r := newReport(opts, search, run, began)
	sheetErr := r.writeSheet()
	tableErr := r.print(stdout)
	return r.conclude(stderr, sheetErr, tableErr)
}

// conclude says what went wrong besides single images, and gives the exit code.
func (r *report) conclude(stderr io.Writer, sheetErr, tableErr error) int {
	if sheetErr != nil {
		name := filepath.Join(r.opts.out, sheetName)
		fmt.Fprintf(stderr, "cannot write the contact sheet %s: %s\n", show.Text(name), show.Text(plain(sheetErr)))
	}
	if tableErr != nil {
		fmt.Fprintf(stderr, "cannot write the table: %v\n", tableErr)
	}
	if r.run.err != nil {
		fmt.Fprintf(stderr, "the work ended early, %d of %d images were not done: %v\n", r.undone, r.total, r.run.err)
	}
	all := r.failures() == 0 && r.undone == 0 && r.run.err == nil && sheetErr == nil
	switch {
	case r.run.interrupted:
		fmt.Fprintf(stderr, "interrupted: %d of %d images done\n", r.done, r.total)
		return exitInterrupted
	case r.done == 0:
		fmt.Fprintln(stderr, "no thumbnail could be made")
		return exitFailed
	case r.opts.strict && !all:
		fmt.Fprintln(stderr, "not all was done, which -strict asks for")
		return exitFailed
	case tableErr != nil:
		return exitFailed
	}
	return exitDone
}
