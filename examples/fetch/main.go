// Command fetch gets many URLs at once, on a pool of goroutines.
//
//	go run ./examples/fetch -j 4 -timeout 5s https://go.dev https://example.org
//	go run ./examples/fetch -o pages < urls.txt
//
// There is one line for each URL as soon as it is done, or with -k in the order of the
// URLs: the URL that answered in the end, its status, the bytes of its body and the
// seconds it took, and with -o the name of the file. When there was no answer, or not
// all of it, the status is "error" and the line ends with the reason:
//
//	https://go.dev/ 200 62381 0.214
//	http://nowhere.invalid/ error 0 0.003 dial tcp: lookup nowhere.invalid: no such host
//
// What may pass by itself is tried again: connections that fail or break, answers that
// do not come in time, and the statuses 429, 502, 503 and 504. When the server says how
// long to wait, that is done. Passwords in URLs are not shown.
//
// With -o the bodies of successful answers become files. Their names come from the URLs
// as they were given, never from where those redirect to, and hold nothing that a file
// system or a shell takes for more than a name; of two equal ones the second gets a
// number. No file that is there is overwritten, and none is there before it is whole. After
// an interrupt there may be files whose lines were not written yet, with -k above all.
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

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// How the program ends.
const (
	exitDone        = 0
	exitFailed      = 1 // a URL failed or has a status of 400 or more, or nothing could be done
	exitUsage       = 2
	exitInterrupted = 130 // as shells say it of Ctrl-C
)

func main() {
	log.SetOutput(io.Discard)      // net/http's client logs what servers send unasked for
	signal.Ignore(syscall.SIGPIPE) // else it would end the program amid its files
	os.Exit(program(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func program(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
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

	if len(opts.urls) == 0 && isTerminal(stdin) {
		fmt.Fprintln(stderr, "reading URLs from the terminal, one a line")
	}
	r, err := fetchAll(ctx, opts, &input{urls: opts.urls, r: stdin}, newReport(opts, stdout, stderr))
	if err != nil && !errors.Is(err, syscall.EPIPE) { // nobody reads on, as behind | head
		fmt.Fprintf(stderr, "fetch: %s\n", show.Text(err.Error()))
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintf(stderr, "interrupted: %d done\n", r.done)
		return exitInterrupted
	case err != nil || r.failed > 0:
		return exitFailed
	}
	return exitDone
}
