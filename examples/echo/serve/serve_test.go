package serve_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/examples/echo/serve"
	"github.com/gomultiprocessing/mp/thread"
)

// Many clients at once, and each gets its own back, whatever the sizes.
func TestBytesComeBack(t *testing.T) {
	t.Parallel()
	r := start(t, serve.Config{Idle: time.Minute, WriteTimeout: time.Minute})
	var clients sync.WaitGroup
	for i := range 50 {
		c := r.dial()
		clients.Go(func() {
			for _, size := range []int{1, 64, 1023, 3000, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_000 + i} {
				trip(t, c, noise(size))
			}
			c.CloseWrite()
			if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Error(n, err)
			}
		})
	}
	clients.Wait()
	r.ends(serve.Ended, 50)
	if in, out := r.n.In.Load(), r.n.Out.Load(); in != out || in < 50*200_000 {
		t.Error(in, out)
	}
	if n := r.n.Accepted.Load(); n != 50 {
		t.Error(n)
	}
}

// A client that ends its side before it reads gets all, and then the end.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	r := start(t, serve.Config{})
	c := r.dial()
	sent := noise(300_000) // fits into the buffers of the kernel
	if _, err := c.Write(sent); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, sent) {
		t.Error(len(got), err)
	}
	r.ends(serve.Ended, 1)
}

// A client that sends and never reads stops its own connection only.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	r := start(t, serve.Config{WriteTimeout: 200 * time.Millisecond})
	slow := r.dial()
	stuck := make(chan error, 1)
	go func() {
		for {
			if _, err := slow.Write(make([]byte, 64<<10)); err != nil {
				stuck <- err
				return
			}
		}
	}()
	other := r.dial()
	for ended := false; !ended; ended = r.n.Ends[serve.Slow].Load() > 0 {
		trip(t, other, noise(1000))
	}
	if err := <-stuck; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Error(err)
	}
	r.ends(serve.Slow, 1)
}

func TestIdleOnASocket(t *testing.T) {
	t.Parallel()
	r := start(t, serve.Config{Idle: 50 * time.Millisecond})
	if n, err := r.dial().Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Error(n, err)
	}
	r.ends(serve.Idle, 1)
}

// The time begins anew with each piece.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newOffered(), serve.New(serve.Config{Idle: time.Minute, WriteTimeout: time.Second})
		go s.Serve(l)
		here, there := net.Pipe()
		l.conns <- there
		began := time.Now()
		for range 3 {
			time.Sleep(59 * time.Second)
			trip(t, here, []byte("x"))
		}
		if _, err := here.Read(make([]byte, 1)); err != io.EOF || time.Since(began) != 237*time.Second {
			t.Error(err, time.Since(began))
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n serve.Numbers
		l, s := newOffered(), serve.New(serve.Config{WriteTimeout: time.Second, Numbers: &n})
		go s.Serve(l)
		here, there := net.Pipe()
		l.conns <- there
		here.Write([]byte("text"))
		time.Sleep(time.Second + 1)
		synctest.Wait()
		if n.Ends[serve.Slow].Load() != 1 || n.In.Load() != 4 || n.Out.Load() != 0 {
			t.Error(n.Ends[serve.Slow].Load(), n.In.Load(), n.Out.Load())
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Who comes when there is no room is closed at once; who comes when one has left is served.
func TestRefused(t *testing.T) {
	t.Parallel()
	room, err := thread.NewSemaphore(2)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r := start(t, serve.Config{Room: room, Log: slog.New(slog.NewTextHandler(&log, nil))})
	a, b := r.dial(), r.dial()
	trip(t, a, []byte("a"))
	trip(t, b, []byte("b"))
	for range 3 {
		if _, err := r.dial().Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
	}
	if n := r.n.Refused.Load(); n != 3 {
		t.Error(n)
	}
	a.Close()
	r.await("room", func() bool { return room.Available() == 1 })
	trip(t, r.dial(), []byte("c"))
	r.Drain(over())
	if n := strings.Count(log.String(), "refused"); n == 0 || room.Available() != 2 {
		t.Error(n, room.Available(), log.String())
	}
}

// Who has seen the end of its connection finds room for another one.
func TestRoomAtTheEnd(t *testing.T) {
	t.Parallel()
	room, err := thread.NewSemaphore(1)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, serve.Config{Room: room})
	for range 1000 {
		c := r.dial()
		c.CloseWrite()
		if _, err := io.ReadAll(c); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if n := r.n.Refused.Load(); n != 0 {
		t.Errorf("%d were refused", n)
	}
}

// A server that cannot accept waits, longer each time, and goes on.
func TestAcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n serve.Numbers
		l, s := newOffered(), serve.New(serve.Config{Numbers: &n})
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		began := time.Now()
		for range 10 {
			l.conns <- &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		}
		here, there := net.Pipe()
		l.conns <- there
		if d := time.Since(began); d != 3275*time.Millisecond { // 5, 10, ... 640 ms, and twice 1 s
			t.Error(d)
		}
		trip(t, here, []byte("there"))
		here.Close()
		if n := n.AcceptErrors.Load(); n != 10 {
			t.Error(n)
		}
		l.conns <- os.NewSyscallError("accept4", syscall.EMFILE)
		began = time.Now()
		if err := s.Drain(t.Context()); err != nil || time.Since(began) != 0 {
			t.Error("it waits out its pause", err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestAcceptNoMore(t *testing.T) {
	t.Parallel()
	for _, err := range []error{os.NewSyscallError("accept4", syscall.EINVAL), errors.New("broken")} {
		l, s := newOffered(), serve.New(serve.Config{})
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		l.conns <- err
		if got := <-served; !errors.Is(got, err) {
			t.Error(got)
		}
		s.Drain(context.Background())
	}
}

// Connections may end while the server drains, and nobody new is served.
func TestDrain(t *testing.T) {
	t.Parallel()
	r := start(t, serve.Config{})
	c := r.dial()
	trip(t, c, []byte("before"))
	drained := make(chan error, 1)
	go func() { drained <- r.Drain(context.Background()) }()
	r.await("the listener is closed", func() bool {
		other, err := net.Dial("tcp", r.address)
		if err == nil {
			other.Close()
		}
		return err != nil
	})
	trip(t, c, noise(100_000))
	select {
	case err := <-drained:
		t.Error("it did not wait", err)
	default:
	}
	c.CloseWrite()
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestDrainIsOver(t *testing.T) {
	t.Parallel()
	r := start(t, serve.Config{})
	var cs []net.Conn
	for range 5 {
		c := r.dial()
		trip(t, c, []byte("x"))
		cs = append(cs, c)
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if err := r.Drain(ctx); !errors.Is(err, cause) || !strings.Contains(err.Error(), "5 connections") {
		t.Error(err)
	}
	for _, c := range cs {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("it is open")
		}
	}
	r.ends(serve.Closed, 5)
}

func TestDrainBeforeServe(t *testing.T) {
	t.Parallel()
	l, s := newOffered(), serve.New(serve.Config{})
	if err := s.Drain(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Serve(l); err != nil {
		t.Error(err)
	}
	<-l.closed
}

// A client that is gone without a word costs its connection.
func TestReset(t *testing.T) {
	t.Parallel()
	r := start(t, serve.Config{})
	c := r.dial()
	trip(t, c, []byte("x"))
	c.SetLinger(0)
	c.Close()
	r.ends(serve.Reset, 1)
	trip(t, r.dial(), []byte("y"))
}

// panics is a log that breaks on one client's pieces, and on its last line.
type panics struct {
	slog.Handler
	bytes int64
}

func (p panics) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "bytes" && a.Value.Int64() == p.bytes || a.Key == "in" && a.Value.Int64() == p.bytes {
			panic("broken")
		}
		return true
	})
	return nil
}

// An error in the program costs the connection in which it happens.
func TestPanic(t *testing.T) {
	panicked := make(chan error, 1)
	thread.SetExceptHook(func(_ *thread.Thread, err error) { panicked <- err })
	defer thread.SetExceptHook(nil)
	h := slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})
	r := start(t, serve.Config{Log: slog.New(panics{h, 13})})
	a, b := r.dial(), r.dial()
	trip(t, a, []byte("a"))
	b.Write(make([]byte, 13))
	if err := <-panicked; !strings.Contains(fmt.Sprint(err), "broken") {
		t.Error(err)
	}
	if _, err := io.ReadAll(b); err != nil {
		t.Error(err)
	}
	r.ends(serve.Panicked, 1)
	trip(t, a, []byte("a"))
}

func TestReasons(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for r := range serve.Reasons {
		seen[r.String()] = true
	}
	if len(seen) != int(serve.Reasons) || serve.Reasons.String() != "unknown" {
		t.Error(seen)
	}
}
