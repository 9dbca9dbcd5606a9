// Command echo makes the measurements of bench that need package net, whose initialisation
// would cost each worker process of bench a millisecond at its start.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/examples/echo/serve"
	"github.com/gomultiprocessing/mp/thread"
)

const bigMessage = 64 << 10

// measurements by name: bench calls them with -measure and -n, and reads the figures.
var measurements = map[string]func(ctx context.Context, n int) (rate float64, err error){
	"echo1":   func(ctx context.Context, n int) (float64, error) { return echoRate(ctx, n, 64, 1) },
	"echo64":  func(ctx context.Context, n int) (float64, error) { return echoRate(ctx, n, 64, 64) },
	"echo64k": func(ctx context.Context, n int) (float64, error) { return echoRate(ctx, n, bigMessage, 1) },
	"copy1":   func(_ context.Context, n int) (float64, error) { return copyRate(n, 64, 1) },
	"copy64":  func(_ context.Context, n int) (float64, error) { return copyRate(n, 64, 64) },
	"copy64k": func(_ context.Context, n int) (float64, error) { return copyRate(n, bigMessage, 1) },
}

func main() {
	name := flag.String("measure", "", "the measurement to make")
	n := flag.Int("n", 0, "how many messages")
	flag.Parse()
	measure, ok := measurements[*name]
	if !ok {
		fmt.Fprintf(os.Stderr, "there is no measurement %q\n", *name)
		os.Exit(2)
	}
	rate, err := measure(context.Background(), *n)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(map[string]float64{"rate": rate})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// echoRate is how many messages a second come back from the server of examples/echo, as that
// program runs it.
func echoRate(ctx context.Context, n, size, conns int) (float64, error) {
	room, err := thread.NewSemaphore(10_000)
	if err != nil {
		return 0, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	s := serve.New(serve.Config{Idle: 5 * time.Minute, WriteTimeout: 30 * time.Second, Room: room})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	rate, err := tripRate(l.Addr().String(), n, size, conns)
	s.Drain(ctx)
	l.Close()
	<-served
	return rate, err
}

// copyRate is the same of a server that is nothing but io.Copy.
func copyRate(n, size, conns int) (float64, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
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
func tripRate(address string, n, size, conns int) (float64, error) {
	errs := make(chan error, conns)
	warm, begin := new(sync.WaitGroup), make(chan struct{})
	var clients sync.WaitGroup
	each := n / conns
	for range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return 0, err
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
			return 0, err
		}
	}
	begun := time.Now()
	close(begin)
	clients.Wait()
	spent := time.Since(begun)
	if len(errs) > 0 {
		return 0, <-errs
	}
	return float64(each*conns) / spent.Seconds(), nil
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
