// Command chat talks to other programs by UDP: a line typed is a datagram of UTF-8 text,
// and a datagram that comes is a line on the screen.
//
//	go run ./examples/chat -listen :7890 -peer 127.0.0.1:7891 -history chat.txt
//	go run ./examples/chat -listen :7891 -peer 127.0.0.1:7890   # in another window
//
// Each line that is typed goes to the peer. A line that begins with a slash is for the
// program; a second slash in front sends it all the same:
//
//	/peer host:port   talk to someone else
//	/history [n]      show the last n lines of the history, 20 without n
//	/help             show what can be typed
//	/quit             leave; so do the end of the input, Ctrl-D and Ctrl-C
//
// Without -peer it asks: 1 to send or 2 to leave, then for an address, a port and the
// lines; an empty line goes back. Whoever knows the port can write to it; each line says
// from where it came.
//
// What was sent and what came is appended to the history, a line a message:
//
//	<<<(127.0.0.1, 7891):what was sent
//	>>>('127.0.0.1', 7891):what came
//
// In the history and on the screen a message is one line of plain text, whatever it holds:
// line breaks, control characters, marks that turn the reading order around and bytes that
// are not UTF-8 are written as \n, \x1b, \u202e and \xff, and a backslash as \\.
//
// A message is on the screen when it is in the file and not before, so a program that is
// killed has shown nothing that is lost. A message that could not be written, to a full
// disk for one, is shown with words that say so, and the exit code is 1.
//
// One thread (a goroutine with a name) receives, one reads the keyboard, one writes the
// history and shows what is in it, through a queue of 1,024 messages between them.
// Receiving never waits for the disk: what comes while the queue is full is dropped,
// counted and said. So is, on Linux, what comes faster than it can be received.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
)

// How the program ends.
const (
	exitDone   = 0 // also after Ctrl-C: it is a way to leave
	exitFailed = 1 // nothing could be done, or the history misses messages
	exitUsage  = 2
)

func main() {
	os.Exit(program(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func program(args []string, stdin, stdout, stderr *os.File) int {
	opts, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage
	}
	ctx, stop := leaveBySignal()
	defer stop()
	context.AfterFunc(ctx, stop) // a second one ends the program at once

	conn, err := listen(ctx, opts.listen)
	if err != nil {
		fmt.Fprintf(stderr, "cannot listen on %s: %s; -listen takes another address\n", escape(opts.listen), escape(reason(err)))
		return exitFailed
	}
	defer conn.Close()
	peer, err := opts.findPeer(ctx, localAddr(conn))
	if err != nil {
		if ctx.Err() != nil {
			return exitDone
		}
		fmt.Fprintf(stderr, "-peer: %v\n", err)
		return exitFailed
	}
	file, err := openHistory(opts.history)
	if err != nil {
		fmt.Fprintf(stderr, "cannot open the history %s: %s\n", escape(opts.history), escape(reason(err)))
		return exitFailed
	}
	screen, err := newScreen(stdin, stdout, stderr)
	if err != nil {
		file.Close()
		fmt.Fprintf(stderr, "cannot set the terminal up: %v\n", err)
		return exitFailed
	}
	return newChat(conn, file, screen).run(ctx, peer)
}

// leaveBySignal is a ctx that ends when someone wants the program to leave. A terminal that
// was closed does, but not if nohup has said that it shall not.
func leaveBySignal() (context.Context, context.CancelFunc) {
	signals := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signal.NotifyContext(context.Background(), signals...)
}

// findPeer is the address of -peer; none is no error.
func (o *options) findPeer(ctx context.Context, local netip.Addr) (netip.AddrPort, error) {
	if o.host == "" {
		return netip.AddrPort{}, nil
	}
	addr, err := lookup(ctx, o.host, local)
	return netip.AddrPortFrom(addr, o.port), err
}

// reason is what went wrong without what it went wrong with, which is said beside it.
func reason(err error) string {
	var op *net.OpError
	var path *os.PathError
	var call *os.SyscallError
	switch {
	case errors.As(err, &call):
		return call.Err.Error()
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return err.Error()
}
