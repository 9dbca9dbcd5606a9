//go:build linux

package hosted_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/hosted"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// box keeps one message.
type box struct {
	server  *hosted.Server
	content hosted.Message
	dropped atomic.Bool
}

func (b *box) Drop() { b.dropped.Store(true) }

func (b *box) Invoke(ctx context.Context, s *hosted.Session, method string, args hosted.Message) (hosted.Message, error) {
	switch method {
	case "set":
		if err := b.server.Retain(args.Refs...); err != nil {
			return hosted.Message{}, err
		}
		b.server.Free(b.content.Refs...)
		b.content = args
		return hosted.Message{}, nil
	case "get":
		return b.content, nil
	case "client":
		return hosted.Message{Data: []byte(s.Client)}, nil
	case "wait":
		<-ctx.Done()
		return hosted.Message{}, ctx.Err()
	case "panic":
		panic("inside")
	}
	return hosted.Message{}, fmt.Errorf("no method %q: %w", method, fs.ErrNotExist)
}

func TestCallable(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	var s *hosted.Server
	last := make(chan *box, 1)
	s, path := serve(t, hosted.Config{Lease: 1e6, Lookup: func(_ context.Context, _ *hosted.Session, name string, args hosted.Message) (any, error) {
		if name != "box" {
			return nil, fmt.Errorf("the name %q: %w", name, fs.ErrNotExist)
		}
		b := &box{server: s, content: args}
		last <- b
		return b, nil
	}})
	c, other := connect(t, path, hosted.ClientConfig{}), connect(t, path, hosted.ClientConfig{})
	o := testkit.Must(named[*hosted.Object](ctx, c, "box"))(t)
	b := <-last
	theirs := same[*hosted.Object](t, o, other)
	q := testkit.Must(c.NewQueue(ctx, hosted.FirstInFirstOut, 0, 0))(t)
	ref, _, err := q.Reference()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Invoke(ctx, "set", hosted.Message{Data: []byte("content"), Refs: []hosted.Ref{ref}}); err != nil {
		t.Fatal(err)
	}
	q.Close()
	if data, err := theirs.Invoke(ctx, "get", hosted.Message{}); string(data) != "content" || err != nil {
		t.Error(string(data), err)
	}
	same[*hosted.Queue](t, q, other).Close() // what came with the reply is alive
	if data, err := o.Invoke(ctx, "client", hosted.Message{}); string(data) != "a test" || err != nil {
		t.Error(string(data), err)
	}
	short, cancel := context.WithCancel(ctx)
	go cancel()
	_, cancelled := o.Invoke(short, "wait", hosted.Message{})
	_, panicked := o.Invoke(ctx, "panic", hosted.Message{})
	_, unknown := o.Invoke(ctx, "fly", hosted.Message{})
	_, name := c.Lookup(ctx, "bag", hosted.Message{})
	if cancelled != context.Canceled || panicked == nil || !errors.Is(unknown, fs.ErrNotExist) || !errors.Is(name, fs.ErrNotExist) {
		t.Error(cancelled, panicked, unknown, name)
	}
	o.Close()
	theirs.Close()
	eventually(t, "the end of the box", b.dropped.Load)
}

func TestNames(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	s, path := serve(t, hosted.Config{})
	session := testkit.Must(s.NewSession("here", 1))(t)
	h := testkit.Must(session.Create(hosted.Spec{Kind: hosted.KindEvent}))(t)
	if err := s.Name("event", h); err != nil {
		t.Fatal(err)
	}
	if err := s.Name("event", h); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	session.End()
	c := connect(t, path, hosted.ClientConfig{})
	e := testkit.Must(named[*hosted.Event](ctx, c, "event"))(t)
	if err := e.Set(); err != nil || !e.IsSet() {
		t.Error(err)
	}
	if _, err := c.Lookup(ctx, "lock", hosted.Message{}); !errors.Is(err, carrier.ErrLost) {
		t.Error(err)
	}
	e.Close()
	s.Unname("event")
	eventually(t, "no object", func() bool { return s.Objects() == 0 })
}

// Whoever is in the process of the server uses the same objects without a connection.
func TestSessionInTheServersProcess(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	s, path := serve(t, hosted.Config{})
	session := testkit.Must(s.NewSession("here", 1))(t)
	h := testkit.Must(session.Create(hosted.Spec{Kind: hosted.KindLock}))(t)
	lock := h.Carrier().(carrier.Lock)
	testkit.Must(lock.Acquire(ctx))(t)
	c := connect(t, path, hosted.ClientConfig{})
	theirs := same[*hosted.Lock](t, h, c)
	if pid, held := theirs.Held(); pid != 1 || !held {
		t.Error(pid, held)
	}
	got := make(chan carrier.Grant)
	go func() {
		g, _ := theirs.Acquire(ctx)
		got <- g
	}()
	session.End()
	if g := <-got; !g.Abandoned {
		t.Error(g)
	}
	short, cancel := context.WithTimeout(ctx, 1e6)
	defer cancel()
	if _, err := lock.Acquire(short); err == nil {
		t.Error("a session that has ended acquires")
	}
}
