//go:build linux

package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

func newConns[T any](t testing.TB) (a, b *mp.Conn[T]) {
	t.Helper()
	a, b, err := mp.NewPipe[T]()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

type connMessage struct {
	Name  string
	Items []any
	Next  *connMessage
	Any   any
}

func TestConnValues(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[connMessage](t, on)
		for _, want := range []connMessage{
			{},
			{Name: "one", Items: []any{42, nil, "hello"}, Next: &connMessage{Name: "two"}},
			{Name: strings.Repeat("long", 10_000), Items: []any{[]byte(strings.Repeat("x", 40_000))}},
		} {
			if err := a.Send(ctx, want); err != nil {
				t.Fatal(err)
			}
			got, err := b.Recv(ctx)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%v, %v", got, err)
			}
		}
	})
}

func TestConnBothWays(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		for i := range 150 {
			if err := errors.Join(a.Send(ctx, i), b.Send(ctx, -i)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 150 {
			x, err := b.Recv(ctx)
			y, err2 := a.Recv(ctx)
			if x != i || y != -i || err != nil || err2 != nil {
				t.Fatal(x, y, err, err2)
			}
		}
	})
}

func TestConnBytes(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // 16 MiB
		done := make(chan error, 1)
		go func() {
			for _, p := range [][]byte{nil, {}, []byte("hello"), large, nil} {
				if err := a.SendBytes(ctx, p); err != nil {
					done <- err
					return
				}
			}
			done <- a.Close()
		}()
		for _, want := range [][]byte{{}, {}, []byte("hello"), large, {}} {
			got, err := b.RecvBytes(ctx, 0)
			if err != nil || got == nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes, %v; not %d", len(got), err, len(want))
			}
		}
		if _, err := b.RecvBytes(ctx, 0); err != io.EOF {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A message that is too long stays, and so does one of the other kind.
func TestConnWhatStays(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[string](t, on)
		for range 3 {
			if err := errors.Join(a.SendBytes(ctx, []byte("12345")), a.Send(ctx, "value")); err != nil {
				t.Fatal(err)
			}
			buf := bytes.Repeat([]byte{'-'}, 4)
			for range 2 {
				if _, err := b.RecvBytes(ctx, 4); !errors.Is(err, mp.ErrFull) {
					t.Error("max 4:", err)
				}
				if n, err := b.RecvBytesInto(ctx, buf); n != 0 || !errors.Is(err, mp.ErrFull) || string(buf) != "----" {
					t.Error("into 4:", n, err)
				}
				if _, err := b.RecvBytesInto(ctx, nil); !errors.Is(err, mp.ErrFull) {
					t.Error("into nothing:", err)
				}
				if _, err := b.Recv(ctx); err == nil || !strings.Contains(err.Error(), "RecvBytes takes it") {
					t.Error("Recv of bytes:", err)
				}
				if _, err := b.RecvBytes(ctx, -1); err == nil || !strings.Contains(err.Error(), "negative") {
					t.Error("max -1:", err)
				}
			}
			if p, err := b.RecvBytes(ctx, 5); err != nil || string(p) != "12345" {
				t.Error(p, err)
			}
			for range 2 {
				if _, err := b.RecvBytes(ctx, 0); err == nil || !strings.Contains(err.Error(), "Recv takes it") {
					t.Error("RecvBytes of a value:", err)
				}
			}
			if v, err := b.Recv(ctx); v != "value" || err != nil {
				t.Error(v, err)
			}
		}
		a.SendBytes(ctx, []byte("xyz"))
		buf := []byte("-----")
		if n, err := b.RecvBytesInto(ctx, buf); n != 3 || err != nil || string(buf) != "xyz--" {
			t.Error(n, err, string(buf))
		}
	})
}

func TestConnPoll(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		if ok, err := b.Poll(testkit.Ended()); ok || err != nil {
			t.Error("nothing there:", ok, err)
		}
		if ok, err := b.Poll(testkit.Cancelled()); ok || !errors.Is(err, context.Canceled) {
			t.Error("nothing there, cancelled:", ok, err)
		}
		began := time.Now()
		if ok, err := b.Poll(testkit.Shortly(t, 30*time.Millisecond)); ok || err != nil || time.Since(began) < 30*time.Millisecond {
			t.Error("nothing came:", ok, err, time.Since(began))
		}
		came := make(chan error, 1)
		go func() {
			ok, err := b.Poll(ctx)
			if !ok && err == nil {
				err = errors.New("nothing came")
			}
			came <- err
		}()
		testkit.UntilBlocked(t, 1, "Poll")
		a.SendBytes(ctx, nil)
		if err := <-came; err != nil {
			t.Error("something came:", err)
		}
		a.Send(ctx, 2)
		for _, ctx := range []context.Context{testkit.Ended(), testkit.Cancelled(), ctx, ctx} {
			if ok, err := b.Poll(ctx); !ok || err != nil {
				t.Error("something is there:", ok, err)
			}
		}
		if p, err := b.RecvBytes(ctx, 0); len(p) != 0 || err != nil {
			t.Error("messages are merged:", p, err)
		}
		if v, err := b.Recv(ctx); v != 2 || err != nil {
			t.Error(v, err)
		}
		if ok, err := b.Poll(testkit.Ended()); ok || err != nil {
			t.Error("nothing is left:", ok, err)
		}
		a.Close()
		for range 3 {
			if ok, err := b.Poll(ctx); !ok || err != nil {
				t.Error("end of file:", ok, err)
			}
		}
		b.Close()
		if _, err := b.Poll(testkit.Ended()); !errors.Is(err, mp.ErrClosed) {
			t.Error("closed:", err)
		}
	})
}

type connBad struct {
	Name string
	Jobs []any
}

func TestConnWhatCannotTravel(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[connBad](t)
	err := a.Send(ctx, connBad{Jobs: []any{1, make(chan int)}})
	if err == nil || !strings.Contains(err.Error(), "message.Jobs[1]") {
		t.Error(err)
	}
	if ok, _ := b.Poll(testkit.Ended()); ok {
		t.Error("something was sent")
	}
}

func TestConnSelect(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		c, d := testkit.PipeOn[int](t, on)
		if _, err := mp.Select(testkit.Shortly(t, 20*time.Millisecond), b, d); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		for range 100 {
			go c.Send(ctx, 1)
			if ready, err := mp.Select(ctx, b, d); err != nil || !reflect.DeepEqual(ready, []int{1}) {
				t.Fatal(ready, err)
			}
			if v, err := d.Recv(ctx); v != 1 || err != nil {
				t.Error(v, err)
			}
		}
		c.Send(ctx, 1)
		d.Recv(ctx)
		selected := make(chan []int, 1)
		go func() {
			ready, err := mp.Select(ctx, b, d)
			if err != nil {
				t.Error(err)
			}
			selected <- ready
		}()
		testkit.UntilBlocked(t, 1, "Select")
		a.Close()
		if ready := <-selected; !reflect.DeepEqual(ready, []int{0}) {
			t.Error(ready)
		}
	})
}
