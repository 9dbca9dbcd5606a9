//go:build linux

package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
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
		time.AfterFunc(10*time.Millisecond, func() { a.SendBytes(ctx, nil) })
		if ok, err := b.Poll(ctx); !ok || err != nil {
			t.Error("something came:", ok, err)
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

func TestConnOneWay(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		r, w := testkit.OneWayPipeOn[int](t, on)
		if err := r.Send(ctx, 1); err == nil || !strings.Contains(err.Error(), "for receiving") {
			t.Error(err)
		}
		if err := r.SendBytes(ctx, nil); err == nil || !strings.Contains(err.Error(), "for receiving") {
			t.Error(err)
		}
		for _, err := range []error{
			func() error { _, err := w.Recv(ctx); return err }(),
			func() error { _, err := w.RecvBytes(ctx, 0); return err }(),
			func() error { _, err := w.RecvBytesInto(ctx, nil); return err }(),
			func() error { _, err := w.Poll(ctx); return err }(),
		} {
			if err == nil || !strings.Contains(err.Error(), "for sending") {
				t.Error(err)
			}
		}
		if err := w.Send(ctx, 5); err != nil {
			t.Error(err)
		}
		w.Close()
		if v, err := r.Recv(ctx); v != 5 || err != nil {
			t.Error(v, err)
		}
		if _, err := r.Recv(ctx); err != io.EOF {
			t.Error(err)
		}
	})
}

func TestConnClosed(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		if err := errors.Join(a.Close(), a.Close()); err != nil {
			t.Error(err)
		}
		var zero mp.Conn[int]
		for name, c := range map[string]*mp.Conn[int]{"closed": a, "zero": &zero, "nil": nil} {
			_, recv := c.Recv(ctx)
			_, recvBytes := c.RecvBytes(ctx, 0)
			_, into := c.RecvBytesInto(ctx, make([]byte, 8))
			_, poll := c.Poll(ctx)
			for _, err := range []error{c.Send(ctx, 1), c.SendBytes(ctx, nil), recv, recvBytes, into, poll} {
				if !errors.Is(err, mp.ErrClosed) {
					t.Error(name, err)
				}
			}
			if err := c.Close(); err != nil {
				t.Error(name, err)
			}
		}
		if err := b.Send(ctx, 1); !errors.Is(err, io.ErrClosedPipe) || !errors.Is(err, syscall.EPIPE) {
			t.Error("to the closed one:", err)
		}
		if _, err := b.Recv(ctx); err != io.EOF {
			t.Error("from the closed one:", err)
		}
	})
}

// A ctx that has ended at entry: its error, and nothing has happened.
func TestConnEndedCtx(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		a.Send(ctx, 1)
		for _, err := range []error{
			a.Send(testkit.Ended(), 2),
			a.SendBytes(testkit.Ended(), nil),
			func() error { _, err := b.Recv(testkit.Ended()); return err }(),
			func() error { _, err := b.RecvBytes(testkit.Ended(), 0); return err }(),
		} {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		a.Send(ctx, 3)
		for _, want := range []int{1, 3} {
			if v, err := b.Recv(ctx); v != want || err != nil {
				t.Error(v, err)
			}
		}
	})
}

// Waiting ends with ctx, for who has the turn and for all who stand behind.
func TestConnWaitEnds(t *testing.T) {
	testkit.Beside(t)
	a, b := newConns[[]byte](t)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := a.Recv(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := a.Send(ctx, make([]byte, 16<<20)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	began := time.Now()
	cancel()
	wg.Wait()
	if d := time.Since(began); d > testkit.Within(50*time.Millisecond) {
		t.Error("it took", d)
	}
	go b.Send(context.Background(), []byte("works"))
	if v, err := a.Recv(testkit.Ctx(t)); string(v) != "works" || err != nil {
		t.Error(v, err)
	}
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
		time.AfterFunc(5*time.Millisecond, func() { a.Close() })
		d.Recv(ctx)
		if ready, err := mp.Select(ctx, b, d); err != nil || !reflect.DeepEqual(ready, []int{0}) {
			t.Error(ready, err)
		}
	})
}

// Pipes that are garbage use up nothing.
func TestConnManyDropped(t *testing.T) {
	ctx := testkit.Ctx(t)
	runtime.GC()
	before := connSockets()
	way, back := newConns[*mp.Conn[int]](t)
	for i := range testkit.Times(5_000, 100_000) {
		a, b, err := mp.NewPipe[int]()
		if err != nil {
			t.Fatalf("pipe %d: %v", i, err)
		}
		if i%10 == 0 {
			if err := way.Send(ctx, b); err != nil {
				t.Fatal(err)
			}
			if b, err = back.Recv(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Send(ctx, i); err != nil {
			t.Fatal(err)
		}
		runtime.KeepAlive(b)
	}
	way.Close()
	back.Close()
	for end := time.Now().Add(20 * time.Second); ; {
		runtime.GC()
		left := connSockets()
		if left <= before {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d sockets, before %d", left, before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// connSockets is how many sockets this process has.
func connSockets() (n int) {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		if to, _ := os.Readlink(fd); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// Who waits takes no thread.
func TestConnWaitersTakeNoThreads(t *testing.T) {
	ctx, cancel := context.WithCancel(testkit.Ctx(t))
	threads := func() int {
		tasks, _ := filepath.Glob("/proc/self/task/*")
		return len(tasks)
	}
	before := threads()
	var wg sync.WaitGroup
	for range 300 {
		a, b := newConns[int](t)
		wg.Go(func() { a.Recv(ctx) })
		wg.Go(func() { mp.Select(ctx, b) })
	}
	time.Sleep(100 * time.Millisecond)
	if now := threads(); now > before+20 {
		t.Errorf("%d threads, before %d", now, before)
	}
	began := time.Now()
	cancel()
	wg.Wait()
	if d := time.Since(began); d > testkit.Within(50*time.Millisecond) {
		t.Error("it took", d)
	}
}

// A program that never comes to Main is told so.
func TestConnWithoutMain(t *testing.T) {
	for i, err := range connBeforeMain {
		if !errors.Is(err, mp.ErrNoMain) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// connBeforeMain is what init got, which runs before TestMain.
var connBeforeMain = func() []error {
	_, _, pipe := mp.NewPipe[int]()
	_, _, oneWay := mp.NewOneWayPipe[int]()
	return []error{pipe, oneWay}
}()
