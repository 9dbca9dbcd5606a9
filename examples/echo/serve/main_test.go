package serve_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/examples/echo/serve"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should be there at once.
const patience = 30 * time.Second

// running is a server of a test.
type running struct {
	*serve.Server
	t       testing.TB
	address string
	served  chan error
	n       *serve.Numbers
}

// start starts a server on a port of its own. At the end of the test it must close cleanly.
func start(t testing.TB, cfg serve.Config) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Numbers == nil {
		cfg.Numbers = new(serve.Numbers)
	}
	r := &running{Server: serve.New(cfg), t: t, address: l.Addr().String(), served: make(chan error, 1), n: cfg.Numbers}
	go func() { r.served <- r.Serve(l) }()
	t.Cleanup(func() {
		r.Drain(over())
		if err := <-r.served; err != nil {
			t.Error(err)
		}
		if n := r.n.Open.Load(); n != 0 {
			t.Errorf("%d connections are open", n)
		}
	})
	return r
}

// over is a ctx whose time is over.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func (r *running) dial() *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	r.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// await waits until what is counted is as it should be.
func (r *running) await(what string, ok func() bool) {
	r.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			r.t.Fatalf("%s: never", what)
		}
	}
}

func (r *running) ends(reason serve.Reason, n int64) {
	r.t.Helper()
	r.await(reason.String(), func() bool { return r.n.Ends[reason].Load() >= n })
	if got := r.n.Ends[reason].Load(); got != n {
		r.t.Errorf("%d have ended with %s, want %d", got, reason, n)
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Int())
	}
	return b
}

// trip sends bytes and reads as many.
func trip(t testing.TB, c net.Conn, sent []byte) {
	t.Helper()
	wrote := make(chan error, 1)
	go func() {
		_, err := c.Write(sent)
		wrote <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes: not what was sent: %v", len(sent), err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

// offered is a listener that accepts what a test hands it.
type offered struct {
	conns  chan any // a net.Conn or an error
	closed chan struct{}
	once   sync.Once
}

func newOffered() *offered {
	return &offered{conns: make(chan any), closed: make(chan struct{})}
}

func (l *offered) Accept() (net.Conn, error) {
	select {
	case v := <-l.conns:
		if err, ok := v.(error); ok {
			return nil, err
		}
		return v.(net.Conn), nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *offered) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *offered) Addr() net.Addr { return &net.TCPAddr{} }
