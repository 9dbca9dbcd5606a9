package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"
)

// options are what the command line asks for.
type options struct {
	listen    string
	metrics   string
	max       int
	processes int
	limits    limits
	Log       logging
}

// maxProcesses is far beyond what makes sense.
const maxProcesses = 1000

const usage = `Usage: echo [flags]

A TCP server that sends back what comes, to each client its own, until the client ends its
side. More connections than -max are closed at once.

Ctrl-C (or SIGTERM) accepts no more connections, gives those that are open the time of
-drain to end, closes what is left and ends with 0. A second Ctrl-C ends it at once.
The exit code is 1 when it cannot listen or go on, and 2 when a flag is wrong.

`

// parseFlags reads the command line. It has said what is wrong when it returns an
// error.
func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	fs := flag.NewFlagSet("echo", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.listen, "listen", ":12000", "`address` for clients")
	fs.StringVar(&o.metrics, "metrics", "", "`address` that shows numbers at /metrics, for Prometheus")
	fs.IntVar(&o.max, "max", 10_000, "`number` of connections at once")
	fs.IntVar(&o.processes, "processes", 0, "`number` of worker processes; 0: all is done in this one")
	fs.DurationVar(&o.limits.Idle, "idle", 5*time.Minute, "close a connection from which nothing comes for this `time`; 0: never")
	fs.DurationVar(&o.limits.WriteTimeout, "write-timeout", 30*time.Second, "close a connection that does not take 64 KiB in this `time`; 0: never")
	fs.DurationVar(&o.limits.Drain, "drain", 10*time.Second, "`time` that connections have to end after Ctrl-C")
	fs.TextVar(&o.Log.Level, "log", slog.LevelInfo, "lowest `level` of log lines: debug has one for each piece, info one for each connection")
	fs.BoolVar(&o.Log.JSON, "json", false, "log lines are JSON")
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if err := o.check(fs.Args()); err != nil {
		fmt.Fprintf(stderr, "echo: %v (-h shows the usage)\n", err)
		return nil, err
	}
	return o, nil
}

func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is not a flag", rest[0])
	case o.listen == "":
		return errors.New("-listen is empty")
	case o.max < 1 || o.max > math.MaxInt32:
		return fmt.Errorf("-max %d: must be 1 or more", o.max)
	case o.processes < 0 || o.processes > maxProcesses:
		return fmt.Errorf("-processes %d: must be 0 to %d", o.processes, maxProcesses)
	case o.limits.Idle < 0:
		return fmt.Errorf("-idle %v: must be 0 or more", o.limits.Idle)
	case o.limits.WriteTimeout < 0:
		return fmt.Errorf("-write-timeout %v: must be 0 or more", o.limits.WriteTimeout)
	case o.limits.Drain < 0:
		return fmt.Errorf("-drain %v: must be 0 or more", o.limits.Drain)
	}
	return nil
}
