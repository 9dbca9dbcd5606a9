// Command echo is a TCP server that sends back what comes.
//
//	go run ./examples/echo -listen :12000 -metrics 127.0.0.1:12001
//
// Each connection is a goroutine of its own. With -processes they are handled by worker
// processes, to which the listener is handed over as an open file: a crash in one of them costs
// the connections of that one, and another takes its place.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/gomultiprocessing/mp"
)

// How the program ends.
const (
	exitDone   = 0
	exitFailed = 1 // it could not listen, or not go on
	exitUsage  = 2
)

func main() {
	mp.Main() // a worker process serves from here and never returns

	os.Exit(program(os.Args[1:], os.Stderr))
}

func program(args []string, stderr io.Writer) int {
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

	log := opts.Log.logger(stderr)
	if err := run(ctx, opts, log); err != nil {
		fmt.Fprintf(stderr, "echo: %v\n", err)
		return exitFailed
	}
	return exitDone
}

// run serves until ctx ends, and then until all is closed.
func run(ctx context.Context, o *options, log *slog.Logger) error {
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	defer l.Close()
	begin := here
	if o.processes > 0 {
		begin = inProcesses
	}
	s, err := begin(o, l.(*net.TCPListener), log)
	if err != nil {
		return err
	}
	if o.metrics != "" {
		page, err := serveMetrics(o.metrics, s.numbers, o.processes > 0, log)
		if err != nil {
			s.close(log)
			return err
		}
		defer page.Close()
	}
	warnOfLimit(o, log)
	log.Info("listening", "address", l.Addr().String(), "pid", os.Getpid(), "processes", o.processes, "max", o.max)
	select {
	case <-ctx.Done():
		log.Info("closing: open connections may end", "within", o.limits.Drain, "open", openIn(s.numbers))
		err = nil
	case err = <-s.failed:
	}
	s.close(log)
	log.Info("closed")
	return err
}
