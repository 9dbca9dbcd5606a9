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
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
)

// How the program ends.
const (
	exitDone        = 0
	exitFailed      = 1 // nothing could be done; with -strict: something could not
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
		fmt.Fprintf(stderr, "no images in %s\n", dir)
	}
	for _, p := range search.problems {
		fmt.Fprintf(stderr, "%s: %s\n", p.Path, p.Reason)
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
		fmt.Fprintf(stderr, "cannot make the output folder: %v\n", err)
		return exitFailed
	}
	began := time.Now()
	run, err := makeAll(ctx, opts, search.pictures, newProgress(stderr, len(search.pictures)))
	if err != nil {
		fmt.Fprintf(stderr, "cannot start the workers: %v\n", err)
		return exitFailed
	}
	r := newReport(opts, search, run, began)
	sheetErr := r.writeSheet()
	r.print(stdout)
	if sheetErr != nil {
		fmt.Fprintf(stderr, "cannot write the contact sheet: %v\n", sheetErr)
	}
	if run.err != nil {
		fmt.Fprintf(stderr, "the work ended early: %v\n", run.err)
	}
	switch {
	case run.interrupted:
		fmt.Fprintf(stderr, "interrupted: %d of %d images done\n", r.done, r.total)
		return exitInterrupted
	case r.done == 0 || run.err != nil || sheetErr != nil:
		return exitFailed
	case opts.strict && r.failures() > 0:
		return exitFailed
	}
	return exitDone
}
