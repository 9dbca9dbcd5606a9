package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/examples/echo/serve"
	"github.com/gomultiprocessing/mp/thread"
)

// service is a server at work, here or in worker processes.
type service struct {
	numbers []serve.Numbers
	failed  chan error             // why it cannot go on
	close   func(log *slog.Logger) // it drains, and returns when all is closed
}

// limits are what the flags say about each connection.
type limits struct{ Idle, WriteTimeout, Drain time.Duration }

// here serves on goroutines of this process.
func here(o *options, l *net.TCPListener, log *slog.Logger) (*service, error) {
	room, err := thread.NewSemaphore(o.max)
	if err != nil {
		return nil, err
	}
	numbers, err := thread.NewArray[serve.Numbers](1)
	if err != nil {
		return nil, err
	}
	server := o.limits.server(&numbers.Slice()[0], room, log)
	s := &service{numbers: numbers.Slice(), failed: make(chan error, 1)}
	accepting, err := thread.Start(context.Background(), "accept", func(context.Context) error {
		err := server.Serve(l)
		if err != nil {
			s.failed <- err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.close = func(log *slog.Logger) {
		o.limits.drain(server, log)
		accepting.Join(context.Background())
	}
	return s, nil
}

// server makes the server of this process.
func (l limits) server(n *serve.Numbers, room *mp.Semaphore, log *slog.Logger) *serve.Server {
	n.Begin(os.Getpid())
	return serve.New(serve.Config{Idle: l.Idle, WriteTimeout: l.WriteTimeout, Room: room, Numbers: n, Log: log})
}

// drain lets connections end, and closes the rest when the time for that is over.
func (l limits) drain(s *serve.Server, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), l.Drain)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		log.Warn("the time to drain is over", "result", err)
	}
}

func openIn(numbers []serve.Numbers) (n int64) {
	for i := range numbers {
		n += numbers[i].Open.Load()
	}
	return n
}
