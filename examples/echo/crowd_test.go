//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"golang.org/x/sys/unix"
)

// order says what a process of clients does.
type order struct {
	Address string
	Clients int
	Go, Yes *mp.Event // when all is done, and when all are there
}

// clients is that process: all its clients are connected at once, each gets its own back, and all
// do so once more when Go is set.
var clients = mp.Register("clients", func(ctx context.Context, o order) (int, error) {
	conns := make([]net.Conn, o.Clients)
	for i := range conns {
		c, err := net.Dial("tcp", o.Address)
		if err != nil {
			return i, err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(2 * patience))
		conns[i] = c
	}
	for _, c := range conns {
		if err := trip(c, noise(64)); err != nil {
			return 0, err
		}
	}
	o.Yes.Set()
	if err := o.Go.Wait(ctx); err != nil {
		return 0, err
	}
	for i, c := range conns {
		if err := trip(c, noise(64)); err != nil {
			return i, err
		}
	}
	return len(conns), nil
})

// The server holds 10,000 connections at once and serves another client meanwhile.
func TestTenThousand(t *testing.T) {
	const crowd = 10_000
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	if limit.Cur < crowd+100 {
		t.Skipf("ulimit -n is %d: %d connections need as many descriptors in one process", limit.Cur, crowd)
	}
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, append(args, "-max", strconv.Itoa(crowd+1))...)
		o := order{Address: p.address, Clients: crowd}
		var err error
		o.Go, err = mp.NewEvent()
		must(t, err)
		o.Yes, err = mp.NewEvent()
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
		defer cancel()
		p.counts("echo_connections_open", 0)
		before, began := held(t, p.all()), time.Now()
		done := make(chan error, 1)
		go func() {
			n, err := mp.Call(ctx, clients, o)
			if err == nil && n != crowd {
				err = fmt.Errorf("%d clients", n)
			}
			cancel()
			done <- err
		}()
		if err := o.Yes.Wait(ctx); err != nil {
			t.Fatal(<-done)
		}
		took := time.Since(began)
		p.counts("echo_connections_open", crowd)
		grown := held(t, p.all()) - before
		t.Logf("%d connections in %v, %d KiB of memory each", crowd, took.Round(time.Millisecond), grown/crowd>>10)
		if !raced && grown > crowd*20<<10 {
			t.Errorf("they take %d MiB", grown>>20)
		}
		other := p.dial()
		must(t, trip(other, noise(100_000)))
		other.Close()
		o.Go.Set()
		if err := <-done; err != nil {
			t.Error(err)
		}
		p.counts("echo_connections_open", 0)
		p.closes()
	})
}

// Clients that send and do not read cost a buffer each, and nobody else notices.
func TestSlowReaders(t *testing.T) {
	const crowd = 50
	both(t, func(t *testing.T, args ...string) {
		p := startEcho(t, args...)
		before := held(t, p.all())
		var stuck sync.WaitGroup
		for range crowd {
			c := p.dial()
			stuck.Go(func() {
				piece := make([]byte, 64<<10)
				for {
					c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
					if _, err := c.Write(piece); err != nil {
						if !errors.Is(err, os.ErrDeadlineExceeded) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		stuck.Wait()
		must(t, trip(p.dial(), noise(1_000_000)))
		if grown := held(t, p.all()) - before; !raced && grown > crowd*256<<10 {
			t.Errorf("they take %d KiB each", grown/crowd>>10)
		}
		p.counts("echo_connections_open", crowd+1)
		p.Process.Kill()
	})
}

// all are the pids of the program.
func (p *echoProcess) all() []int { return append(p.pids(), p.Process.Pid) }

// held is how many bytes of memory processes have.
func held(t *testing.T, pids []int) (n int) {
	t.Helper()
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		must(t, err)
		pages, err := strconv.Atoi(strings.Fields(string(text))[1])
		must(t, err)
		n += pages * os.Getpagesize()
	}
	return n
}
