//go:build linux

package hosted_test

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp/internal/hosted"
)

// relay passes bytes on between a client and a server, until it is frozen: then the connections stay, and nothing
// comes any more, as on a network that is cut.
type relay struct {
	path string
	mu   sync.RWMutex // held by freeze for good
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	r := &relay{path: filepath.Join(t.TempDir(), "r")}
	l, err := net.Listen("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	var pumps sync.WaitGroup
	pump := func(from, to net.Conn) {
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			if !r.mu.TryRLock() {
				io.Copy(io.Discard, from)
				return
			}
			to.Write(buf[:n])
			r.mu.RUnlock()
		}
	}
	t.Cleanup(func() {
		l.Close()
		pumps.Wait()
	})
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", to)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() {
				near.Close()
				far.Close()
			})
			pumps.Go(func() { pump(near, far) })
			pumps.Go(func() { pump(far, near) })
		}
	}()
	return r
}

func (r *relay) freeze() { r.mu.Lock() }

func (r *relay) connect(t *testing.T, cfg hosted.ClientConfig) *hosted.Client {
	t.Helper()
	c, err := hosted.NewClient(context.Background(), dial(t, r.path), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
