//go:build linux

package pipe_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// An end that was about to move, and did not, is still watched by a Select that waits for it.
func TestConnSelectOfWhatDidNotMove(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, _ := newConns[connEnds](t)
	for i := range testkit.Times(1000, 20_000) {
		c, d := newConns[int](t)
		selected := make(chan struct{})
		go func() {
			defer close(selected)
			for there := false; !there; there, _ = d.Poll(testkit.Ended()) {
				mp.Select(ctx, d) // it is ready as well while it moves
			}
		}()
		time.Sleep(time.Duration(i%4) * 50 * time.Microsecond)
		if err := a.Send(ctx, connEnds{Ends: []*mp.Conn[int]{d, d}}); err == nil {
			t.Fatal("twice in one message")
		}
		time.Sleep(time.Duration(i%3) * 50 * time.Microsecond)
		c.Send(ctx, 1)
		select {
		case <-selected:
		case <-ctx.Done():
			t.Fatal(i, "Select does not see the message")
		}
		c.Close()
		d.Close()
	}
}

type connMemory struct {
	Text   string
	Memory *mp.Memory
}

// What is closed while a message with it waits for room is not another file that has got its
// number by then.
func TestConnClosedWhileItIsSent(t *testing.T) {
	ctx := testkit.Ctx(t)
	a, b := newConns[connMemory](t)
	text := strings.Repeat("x", 1<<10)
	full := testkit.Fill(t, func(ctx context.Context) error { return a.Send(ctx, connMemory{Text: text}) }, "Send")
	m, err := mp.NewMemory(4096)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() { sent <- a.Send(ctx, connMemory{Memory: m}) }()
	testkit.UntilBlocked(t, 1, "Send")
	m.Close()
	for range 50 {
		f, err := os.Open("/etc/passwd")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	for range full {
		if _, err := b.Recv(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-sent; !errors.Is(err, os.ErrClosed) && !errors.Is(err, mp.ErrClosed) {
		t.Error("it was sent:", err)
	}
	if ok, err := b.Poll(testkit.Ended()); ok || err != nil { // Send has returned: what it sent would be there
		_, err := b.Recv(ctx)
		t.Error("there is something to receive:", err)
	}
	if err := a.Send(ctx, connMemory{Text: "more"}); err != nil {
		t.Error(err)
	}
	if v, err := b.Recv(ctx); v.Text != "more" || err != nil {
		t.Error(v, err)
	}
}

var connFails = mp.Register("conn/fails", func(_ context.Context, c *mp.Conn[int]) (int, error) {
	return 0, errors.New("as it says")
})

// An input that has left cannot be sent again: the task's own error is its outcome.
func TestConnAndRetries(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Terminate()
	for range 2 {
		_, d := newConns[int](t)
		_, err = mp.Apply(ctx, pool, connFails, d, mp.Retries(3, mp.Backoff{}))
		if err == nil || !strings.Contains(err.Error(), "[0]: as it says") {
			t.Error(err)
		}
		_, d = newConns[int](t)
		_, err = mp.Map(ctx, pool, connFails, []*mp.Conn[int]{d, nil}, mp.Retries(2, mp.Backoff{Max: 1}))
		var failed *mp.MapError
		if !errors.As(err, &failed) || len(failed.Errs) != 2 {
			t.Fatal(err)
		}
		for i, attempts := range []int{1, 3} { // nil does not leave
			if e := failed.Errs[i]; e.Attempts != attempts || e.Err.Error() != "as it says" {
				t.Error(i, e)
			}
		}
	}
}

// connExits ends the goroutine that encodes it.
type connExits struct {
	End *mp.Conn[int]
	Bad connExiting
}

type connExiting struct{ Name string }

func (connExiting) MarshalBinary() ([]byte, error)  { runtime.Goexit(); return nil, nil }
func (*connExiting) UnmarshalBinary(_ []byte) error { return nil }

var connTakesExits = mp.Register("conn/exits", func(_ context.Context, c connExits) (int, error) { return 0, nil })

// An end that was to leave with a value whose method ends the goroutine has not left.
func TestConnInWhatEndsTheGoroutine(t *testing.T) {
	ctx := testkit.Ctx(t)
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Terminate()
	carrier, _ := newConns[connExits](t)
	for name, send := range map[string]func(connExits){
		"Start": func(in connExits) { mp.Start(ctx, connTakesExits, in) },
		"Apply": func(in connExits) { mp.Apply(ctx, pool, connTakesExits, in) },
		"Map":   func(in connExits) { mp.Map(ctx, pool, connTakesExits, []connExits{in}) },
		"Send":  func(in connExits) { carrier.Send(ctx, in) },
	} {
		c, d := newConns[int](t)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			send(connExits{End: d})
		}()
		<-ended
		c.Send(ctx, 1)
		if v, err := d.Recv(ctx); v != 1 || err != nil {
			t.Error(name, v, err)
		}
	}
}
