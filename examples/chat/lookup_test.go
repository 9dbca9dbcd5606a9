package main

import (
	"bufio"
	"context"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// typist is a recorder on which somebody types.
type typist struct {
	recorder
	typed []string
}

func (s *typist) read(_ context.Context, take func(line) bool, _ func()) error {
	in := bufio.NewReader(strings.NewReader(strings.Join(s.typed, "\n") + "\n"))
	for {
		l, err := readLine(in)
		if err != nil || !take(l) {
			return err
		}
	}
}

// A resolver that does not answer does not keep the program from leaving, and what was
// meant for the one who is looked up goes to nobody else. The test is alone: the resolver
// is everybody's.
func TestLeavingWhileLookingUp(t *testing.T) {
	before := net.DefaultResolver
	defer func() { net.DefaultResolver = before }()
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	for _, last := range []string{"/quit", "meant for slow.example"} {
		conn, err := listen(t.Context(), "127.0.0.1:0")
		must(t, err)
		defer conn.Close()
		file, err := openHistory(filepath.Join(t.TempDir(), "h"))
		must(t, err)
		defer file.Close()
		other := newPeer(t, "127.0.0.1:0")
		screen := &typist{typed: []string{"/peer slow.example:7890", last}}
		began := time.Now()
		code := newChat(conn, file, screen).run(t.Context(), other.addr())
		if took := time.Since(began); took > time.Second || code != exitDone {
			t.Errorf("before %s, leaving took %v, with exit code %d", last, took, code)
		}
		const want = "! the address of slow.example was not found in time: what was typed after it is not sent"
		if !slices.Contains(screen.all, want) {
			t.Errorf("before %s, it says %q", last, screen.all)
		}
		other.SetReadDeadline(time.Now())
		if n, _, err := other.ReadFromUDPAddrPort(make([]byte, 100)); err == nil {
			t.Errorf("a message of %d bytes was sent to someone else", n)
		}
	}
}
