package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// options are what the command line asks for.
type options struct {
	listen  string
	history string
	host    string // of the peer; "": none was given
	port    uint16
}

const usage = `Usage: chat [flags]

Sends each line that is typed as a UDP datagram, and shows what comes. /help shows what
else can be typed; without -peer the program asks.

The exit code is 0 after /quit, the end of the input or Ctrl-C; 1 when the program could
not begin, or when messages are missing in the history; 2 when a flag is wrong.

`

// parseFlags reads the command line. It has said what is wrong when it returns an error.
func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	var peer string
	fs := flag.NewFlagSet("chat", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.listen, "listen", fmt.Sprintf(":%d", defaultPort), "receive on this `address`, and send from it")
	fs.StringVar(&peer, "peer", "", "send to this `host:port`")
	fs.StringVar(&o.history, "history", "chat.txt", "append what was sent and what came to this `file`")
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if err := o.check(fs, peer); err != nil {
		fmt.Fprintf(stderr, "chat: %v (-h shows the usage)\n", err)
		return nil, err
	}
	return o, nil
}

func (o *options) check(fs *flag.FlagSet, peer string) (err error) {
	given := false
	fs.Visit(func(f *flag.Flag) { given = given || f.Name == "peer" })
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("%s: what is sent is typed, it is no argument", escape(fs.Arg(0)))
	case o.history == "":
		return errors.New("-history is empty")
	case o.listen == "":
		return errors.New("-listen is empty")
	case given:
		if o.host, o.port, err = splitPeer(peer); err != nil {
			return fmt.Errorf("-peer: %w", err)
		}
	}
	return nil
}
