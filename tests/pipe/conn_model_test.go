//go:build linux

package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// connModel is a pipe to a process that sends everything back.
type connModel struct {
	ctx  context.Context
	a    *mp.Conn[[]byte]
	way  *mp.Conn[*mp.Conn[[]byte]] // through which a moves now and then
	back *mp.Conn[*mp.Conn[[]byte]]
	sent []int // sizes of messages on their way
	n    byte
}

func (m *connModel) send(t *rapid.T) {
	size := rapid.SampledFrom([]int{0, 1, 10, 3000, 70_000, 3 << 20}).Draw(t, "size")
	ctx, cancel := context.WithTimeout(m.ctx, 20*time.Millisecond)
	defer cancel()
	err := m.a.Send(ctx, bytes.Repeat([]byte{m.n}, size))
	switch {
	case err == nil:
		m.sent = append(m.sent, size<<8|int(m.n))
		m.n++
	case !errors.Is(err, context.DeadlineExceeded):
		t.Fatal(err)
	}
}

func (m *connModel) recv(t *rapid.T) {
	wait := rapid.SampledFrom([]time.Duration{0, 50 * time.Microsecond, time.Millisecond, time.Minute}).Draw(t, "wait")
	if len(m.sent) == 0 {
		wait = min(wait, time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(m.ctx, wait)
	defer cancel()
	got, err := m.a.Recv(ctx)
	if errors.Is(err, context.DeadlineExceeded) && wait < time.Minute {
		return
	}
	if err != nil || len(m.sent) == 0 {
		t.Fatalf("%d bytes, %v, with %d on their way", len(got), err, len(m.sent))
	}
	size, n := m.sent[0]>>8, byte(m.sent[0])
	if !bytes.Equal(got, bytes.Repeat([]byte{n}, size)) {
		t.Fatalf("%d bytes are not %d times %d", len(got), size, n)
	}
	m.sent = m.sent[1:]
}

func (m *connModel) poll(t *rapid.T) {
	ctx, cancel := context.WithTimeout(m.ctx, 100*time.Microsecond)
	defer cancel()
	if ok, err := m.a.Poll(ctx); err != nil || ok && len(m.sent) == 0 {
		t.Fatal(ok, err)
	}
}

func (m *connModel) wrong(t *rapid.T) {
	if b, err := m.a.RecvBytes(testkit.Ended(), 1); err == nil {
		t.Fatal(b)
	}
}

func (m *connModel) move(t *rapid.T) {
	done := make(chan error, 1)
	go func() { done <- m.way.Send(m.ctx, m.a) }()
	a, err := m.back.Recv(m.ctx)
	if err = errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	m.a = a
}

// Random operations, with a process on the other side.
func TestConnModel(t *testing.T) {
	ctx := testkit.Ctx(t)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := newConns[[]byte](t)
		p, err := mp.Start(ctx, connEchoBytes, b)
		if err != nil {
			rt.Fatal(err)
		}
		m := &connModel{ctx: ctx, a: a}
		m.way, m.back = newConns[*mp.Conn[[]byte]](t)
		rt.Repeat(map[string]func(*rapid.T){
			"send": m.send, "recv": m.recv, "recv again": m.recv, "poll": m.poll, "wrong": m.wrong, "move": m.move,
		})
		m.a.Close()
		p.Kill()
		p.Join(ctx)
	})
}
