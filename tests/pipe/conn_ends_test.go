//go:build linux

package pipe_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

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

// Waiting ends with ctx, for the goroutine whose turn it is and for all behind it.
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
	testkit.UntilBlocked(t, 50, "Recv")
	testkit.UntilBlocked(t, 50, "Send")
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
