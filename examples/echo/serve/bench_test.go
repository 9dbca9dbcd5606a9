package serve_test

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/examples/echo/serve"
	"github.com/gomultiprocessing/mp/thread"
)

// bare is the least that a server in Go can be.
func bare(l net.Listener) {
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
}

// BenchmarkEcho compares the server, as the program runs it, with a bare one of io.Copy, by
// messages that are sent and awaited.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{64, 64 << 10} {
		for _, conns := range []int{1, 64} {
			name := fmt.Sprintf("%dB/%dconns", size, conns)
			b.Run(name+"/bare", func(b *testing.B) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					b.Fatal(err)
				}
				defer l.Close()
				go bare(l)
				trips(b, l.Addr().String(), size, conns)
			})
			b.Run(name+"/serve", func(b *testing.B) {
				room, err := thread.NewSemaphore(10_000)
				if err != nil {
					b.Fatal(err)
				}
				r := start(b, serve.Config{Idle: 5 * time.Minute, WriteTimeout: 30 * time.Second, Room: room})
				trips(b, r.address, size, conns)
			})
		}
	}
}

// trips sends b.N messages and waits for each to come back.
func trips(b *testing.B, address string, size, conns int) {
	var clients sync.WaitGroup
	begin := make(chan struct{})
	for i := range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		n := b.N / conns
		if i < b.N%conns {
			n++
		}
		clients.Go(func() {
			defer c.Close()
			p := make([]byte, size)
			<-begin
			for range n {
				if _, err := c.Write(p); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(c, p); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	b.SetBytes(int64(size))
	b.ResetTimer()
	close(begin)
	clients.Wait()
	b.StopTimer()
}
