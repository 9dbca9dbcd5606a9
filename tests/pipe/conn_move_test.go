//go:build linux

package pipe_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

type connEnds struct {
	Ends []*mp.Conn[int]
	Self *mp.Conn[connEnds]
	Nil  *mp.Conn[string]
}

// connTry is a handle's answer, by looking without waiting.
func connTry[T any](c *mp.Conn[T]) error {
	_, err := c.Poll(testkit.Ended())
	return err
}

func TestConnThroughConn(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[connEnds](t)
	c, d := newConns[int](t)
	for i := range 20 { // and on, and on
		for j := range i {
			if err := c.Send(ctx, j); err != nil {
				t.Fatal(err)
			}
		}
		if i > 0 {
			if v, err := d.Recv(ctx); v != 0 || err != nil { // the others are read ahead
				t.Fatal(v, err)
			}
		}
		if err := a.Send(ctx, connEnds{Ends: []*mp.Conn[int]{nil, d}}); err != nil {
			t.Fatal(err)
		}
		if err := connTry(d); !errors.Is(err, mp.ErrClosed) {
			t.Fatal("the sender's handle:", err)
		}
		got, err := b.Recv(ctx)
		if err != nil || len(got.Ends) != 2 || got.Ends[0] != nil || got.Nil != nil {
			t.Fatal(got, err)
		}
		d = got.Ends[1]
		for j := 1; j < i; j++ {
			if v, err := d.Recv(ctx); v != j || err != nil {
				t.Fatal(v, err)
			}
		}
	}
	d.Close()
	if _, err := c.Recv(ctx); err != io.EOF {
		t.Error(err)
	}
}

// One-way ends stay one-way.
func TestConnOneWayMoves(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[connEnds](t)
	r, w, err := mp.NewOneWayPipe[int]()
	if err != nil {
		t.Fatal(err)
	}
	a.Send(ctx, connEnds{Ends: []*mp.Conn[int]{r, w}})
	got, err := b.Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r, w = got.Ends[0], got.Ends[1]
	if err := r.Send(ctx, 1); err == nil {
		t.Error("r sends")
	}
	if _, err := w.Recv(ctx); err == nil {
		t.Error("w receives")
	}
	w.Send(ctx, 1)
	if v, err := r.Recv(ctx); v != 1 || err != nil {
		t.Error(v, err)
	}
	r.Close()
	w.Close()
}

// What does not get sent has not moved.
func TestConnMoveGivenUp(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[connEnds](t)
	c, d := newConns[int](t)
	gone, other := newConns[connEnds](t)
	other.Close()
	many := make([]*mp.Conn[int], 0)
	for name, send := range map[string]func() error{
		"twice in one message": func() error { return a.Send(ctx, connEnds{Ends: []*mp.Conn[int]{d, d}}) },
		"to nobody":            func() error { return gone.Send(ctx, connEnds{Ends: []*mp.Conn[int]{d}}) },
		"through itself":       func() error { return a.Send(ctx, connEnds{Ends: []*mp.Conn[int]{d}, Self: a}) },
		"ctx has ended":        func() error { return a.Send(testkit.Ended(), connEnds{Ends: []*mp.Conn[int]{d}}) },
		"closed":               func() error { return a.Send(ctx, connEnds{Ends: append(many, d, closedConn(t))}) },
	} {
		if err := send(); err == nil {
			t.Error(name, "was sent")
		}
		if err := c.Send(ctx, 1); err != nil {
			t.Error(name, err)
		}
		if v, err := d.Recv(ctx); v != 1 || err != nil {
			t.Error(name, v, err)
		}
		if err := d.Send(ctx, 2); err != nil {
			t.Error(name, err)
		}
		if v, err := c.Recv(ctx); v != 2 || err != nil {
			t.Error(name, v, err)
		}
	}
	if err := a.Send(ctx, connEnds{}); err != nil {
		t.Error(err)
	}
	if _, err := b.Recv(ctx); err != nil {
		t.Error(err)
	}
}

func closedConn(t testing.TB) *mp.Conn[int] {
	a, _ := newConns[int](t)
	a.Close()
	return a
}

// An end that goes into its own other end can never be received: it is closed with it.
func TestConnThroughItsPeer(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[connEnds](t)
	if err := a.Send(ctx, connEnds{Self: b}); err != nil {
		t.Fatal(err)
	}
	if err := connTry(b); !errors.Is(err, mp.ErrClosed) {
		t.Error(err)
	}
	if _, err := a.Recv(ctx); err != io.EOF {
		t.Error(err)
	}
	if err := a.Send(ctx, connEnds{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestConnByValue(t *testing.T) {
	a, _ := newConns[any](t)
	if err := a.Send(testkit.Ctx(t), struct{ C mp.Conn[int] }{}); err == nil {
		t.Error("a Conn was copied")
	}
	type holder struct{ C mp.Conn[int] }
	c, _ := newConns[holder](t)
	if err := c.Send(testkit.Ctx(t), holder{}); err == nil || !strings.Contains(err.Error(), "message.C") {
		t.Error(err)
	}
}

// As many as one message can carry.
func TestManyConnsInOneMessage(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[[]*mp.Conn[int]](t)
	var ours, theirs []*mp.Conn[int]
	for range 253 {
		c, d := newConns[int](t)
		ours, theirs = append(ours, c), append(theirs, d)
	}
	done := make(chan error, 1)
	go func() { done <- a.Send(ctx, theirs) }()
	got, err := b.Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i, c := range ours {
		c.Send(ctx, i)
		if v, err := got[i].Recv(ctx); v != i || err != nil {
			t.Fatal(v, err)
		}
		got[i].Close()
	}
}

// An end in which a message with as many descriptors as a value can have waits cannot be sent: it would
// bring one more. It is as before, and can be sent once that message is received.
func TestConnWithAFullMessageStays(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[*mp.Conn[[]*os.File]](t)
	c, d := newConns[[]*os.File](t)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := c.Send(ctx, slices.Repeat([]*os.File{f}, 253)); err != nil {
		t.Fatal(err)
	}
	if ok, err := d.Poll(ctx); !ok || err != nil {
		t.Fatal(ok, err) // the message is read ahead now
	}
	if _, err := d.RecvBytes(ctx, 1); err == nil {
		t.Fatal("the message was received as bytes")
	}
	if err := a.Send(ctx, d); err == nil || !strings.Contains(err.Error(), "receive the message first") {
		t.Fatal(err)
	}
	files, err := d.Recv(ctx)
	if err != nil || len(files) != 253 {
		t.Fatal(len(files), err)
	}
	for _, f := range files {
		f.Close()
	}
	if err := a.Send(ctx, d); err != nil {
		t.Fatal(err)
	}
	moved, err := b.Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := moved.Recv(ctx); err != nil {
		t.Error(err)
	}
	moved.Close()
}

// Two ends are sent through each other: one gets there, or none.
func TestConnCrosswise(t *testing.T) {
	ctx := testkit.Ctx(t)
	for range 200 {
		a, b := newConns[connEnds](t)
		c, d := newConns[connEnds](t)
		var wg sync.WaitGroup
		wg.Go(func() { a.Send(ctx, connEnds{Self: c}) })
		wg.Go(func() { c.Send(ctx, connEnds{Self: a}) })
		wg.Wait()
		for _, e := range []*mp.Conn[connEnds]{a, b, c, d} {
			e.Close()
		}
	}
	if ctx.Err() != nil {
		t.Error("two Sends waited for one another")
	}
}
