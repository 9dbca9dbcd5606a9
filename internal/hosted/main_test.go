//go:build linux

package hosted_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// serve has a server listen at a path until the end of the test.
func serve(t testing.TB, cfg hosted.Config) (s *hosted.Server, path string) {
	t.Helper()
	cfg.Less = testkit.LessInts
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = time.Minute
	}
	path = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s = hosted.NewServer(cfg)
	go testkit.ServeHosted(l, s)
	t.Cleanup(func() {
		l.Close()
		s.Close()
	})
	return s, path
}

func dial(t testing.TB, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// connect makes a client, closed at the end of the test.
func connect(t testing.TB, path string, cfg hosted.ClientConfig) *hosted.Client {
	t.Helper()
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat, cfg.Limit = time.Minute, time.Minute
	}
	cfg.Name = "a test"
	c, err := hosted.NewClient(context.Background(), dial(t, path), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// eventually waits until a condition is true, which no event tells of.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(200 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatal("not within 20 s: ", what)
		}
	}
}

// same is an object that another client has.
func same[C any](t testing.TB, from interface{ ID() hosted.ID }, c *hosted.Client) C {
	t.Helper()
	o, err := c.Open(context.Background(), from.ID(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return o.(C)
}
