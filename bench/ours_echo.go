package main

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/examples/echo/serve"
	"github.com/gomultiprocessing/mp/thread"
)

const bigMessage = 64 << 10

func measureEcho1(ctx context.Context, n int) (figures, error)  { return echoRate(ctx, n, 64, 1) }
func measureEcho64(ctx context.Context, n int) (figures, error) { return echoRate(ctx, n, 64, 64) }
func measureEcho64K(ctx context.Context, n int) (figures, error) {
	return echoRate(ctx, n, bigMessage, 1)
}

// echoRate is how many messages a second come back from the server of examples/echo, as that
// program runs it.
func echoRate(ctx context.Context, n, size, conns int) (figures, error) {
	room, err := thread.NewSemaphore(10_000)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := serve.New(serve.Config{Idle: 5 * time.Minute, WriteTimeout: 30 * time.Second, Room: room})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	f, err := tripRate(l.Addr().String(), n, size, conns)
	s.Drain(ctx)
	l.Close()
	<-served
	return f, err
}

func limitEcho1(_ context.Context, n int) (figures, error)   { return copyRate(n, 64, 1) }
func limitEcho64(_ context.Context, n int) (figures, error)  { return copyRate(n, 64, 64) }
func limitEcho64K(_ context.Context, n int) (figures, error) { return copyRate(n, bigMessage, 1) }

// copyRate is the same of a server that is nothing but io.Copy.
func copyRate(n, size, conns int) (figures, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return tripRate(l.Addr().String(), n, size, conns)
}

// tripRate is how many messages a second go to a server and come back, over so many
// connections at once.
func tripRate(address string, n, size, conns int) (figures, error) {
	errs := make(chan error, conns)
	warm, begin := new(sync.WaitGroup), make(chan struct{})
	var clients sync.WaitGroup
	each := n / conns
	for range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		warm.Add(1)
		clients.Go(func() {
			defer c.Close()
			errs <- trips(c, max(1, each/10), size)
			warm.Done()
			<-begin
			if err := trips(c, each, size); err != nil {
				errs <- err
			}
		})
	}
	warm.Wait()
	for range conns {
		if err := <-errs; err != nil {
			close(begin)
			return nil, err
		}
	}
	begun := time.Now()
	close(begin)
	clients.Wait()
	spent := time.Since(begun)
	if len(errs) > 0 {
		return nil, <-errs
	}
	return figures{"rate": float64(each*conns) / spent.Seconds()}, nil
}

func trips(c net.Conn, n, size int) error {
	p := make([]byte, size)
	for range n {
		if _, err := c.Write(p); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, p); err != nil {
			return err
		}
	}
	return nil
}
