//go:build linux

package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// A sender waits when nobody receives, and what was not sent in time will not be received.
func TestConnIsBounded(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		const size = 32 << 10
		sent := testkit.FillConn(t, a, size)
		if sent < 2 || sent*size > 16<<20 {
			t.Errorf("room for %d messages of %d bytes", sent, size)
		}
		done := make(chan error)
		go func() { done <- a.SendBytes(ctx, []byte("last")) }()
		for range sent {
			if p, err := b.RecvBytes(ctx, 0); err != nil || len(p) != size {
				t.Fatal(len(p), err)
			}
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if p, err := b.RecvBytes(ctx, 0); string(p) != "last" || err != nil {
			t.Error(len(p), err)
		}
		if ok, err := b.Poll(testkit.Ended()); ok || err != nil {
			t.Error("something more:", ok, err)
		}
	})
}

// What is sent is the sender's again as soon as SendBytes has returned.
func TestConnBytesAreNotShared(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		p := []byte("before")
		if err := a.SendBytes(ctx, p); err != nil {
			t.Fatal(err)
		}
		copy(p, "after!")
		got, err := b.RecvBytes(ctx, 0)
		if string(got) != "before" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		received := make(chan []byte)
		go func() { // one that waits as well
			p, _ := b.RecvBytes(ctx, 0)
			received <- p
		}()
		runtime.Gosched()
		p = []byte("before")
		a.SendBytes(ctx, p)
		copy(p, "after!")
		if got := <-received; string(got) != "before" {
			t.Errorf("%q", got)
		}
		copy(got, "change")
		if string(p) != "after!" {
			t.Errorf("%q", p)
		}
	})
}

// Each message is received once, and those of one sender in their order.
func TestConnManySendersAndReceivers(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[[2]int](t, on)
		const senders, receivers, many = 4, 3, 500
		got := make([][][2]int, receivers)
		done := make(chan struct{})
		go func() {
			defer close(done)
			testkit.Each(receivers, func(i int) {
				for {
					v, err := b.Recv(ctx)
					if err == io.EOF {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					got[i] = append(got[i], v)
				}
			})
		}()
		testkit.Each(senders, func(i int) {
			for n := range many {
				if err := a.Send(ctx, [2]int{i, n}); err != nil {
					t.Error(err)
				}
			}
		})
		a.Close()
		<-done
		var all [senders][]int
		for _, some := range got {
			last := [senders]int{-1, -1, -1, -1}
			for _, v := range some {
				if v[1] <= last[v[0]] {
					t.Fatalf("sender %d: %d after %d", v[0], v[1], last[v[0]])
				}
				last[v[0]] = v[1]
				all[v[0]] = append(all[v[0]], v[1])
			}
		}
		for i, numbers := range all {
			slices.Sort(numbers)
			if len(numbers) != many || numbers[0] != 0 || numbers[many-1] != many-1 || len(slices.Compact(numbers)) != many {
				t.Errorf("of sender %d came %d", i, len(numbers))
			}
		}
	})
}

// What was sent is received, and what was not is not, however many give up in between.
func TestConnWaitsThatEnd(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		a, b := testkit.PipeOn[int](t, on)
		var sent, received atomic.Int64
		done := make(chan struct{})
		soon := func(n int) (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Duration(n%70)*time.Microsecond)
		}
		go func() {
			defer close(done)
			testkit.Each(3, func(i int) {
				for n := 0; ; n++ {
					ctx, cancel := soon(n*11 + i*17)
					v, err := b.Recv(ctx)
					cancel()
					switch {
					case err == nil:
						received.Add(int64(v))
					case err == io.EOF:
						return
					case !errors.Is(err, context.DeadlineExceeded):
						t.Error(err)
						return
					}
				}
			})
		}()
		testkit.Each(3, func(i int) {
			for n := range testkit.Times(500, 20_000) {
				ctx, cancel := soon(n*7 + i*13)
				err := a.Send(ctx, n+1)
				cancel()
				if err == nil {
					sent.Add(int64(n + 1))
				} else if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			}
		})
		a.Close()
		<-done
		if sent.Load() != received.Load() || sent.Load() == 0 {
			t.Errorf("sent are %d in sum, received %d", sent.Load(), received.Load())
		}
	})
}

// A ctx that ends just as the message comes: it is received, or there for the next.
func TestConnReceiverThatGivesUp(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		all := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		for n := range 300 {
			ctx, cancel := context.WithCancel(all)
			v, end := 0, make(chan error, 1)
			go func() {
				var err error
				v, err = b.Recv(ctx)
				end <- err
			}()
			for range n % 7 {
				runtime.Gosched()
			}
			if n%2 == 0 {
				cancel()
			}
			if err := a.Send(all, n); err != nil {
				t.Fatal(err)
			}
			cancel()
			err := <-end
			if errors.Is(err, context.Canceled) {
				v, err = b.Recv(all)
			}
			if v != n || err != nil {
				t.Fatalf("got %d, %v, want %d", v, err, n)
			}
		}
	})
}

// Closing an end frees all waiters, here and there.
func TestConnCloseFreesWaiters(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		for _, closes := range []string{"this end", "the other end"} {
			a, b := testkit.PipeOn[int](t, on)
			testkit.FillConn(t, a, 64<<10)
			type outcome struct {
				what string
				err  error
			}
			outcomes := make(chan outcome, 9)
			for range 3 {
				go func() { outcomes <- outcome{"send", a.SendBytes(ctx, make([]byte, 64<<10))} }()
				go func() { outcomes <- outcome{"recv", testkit.ErrorOf(a.Recv(ctx))} }()
				go func() { outcomes <- outcome{"poll", testkit.ErrorOf(a.Poll(ctx))} }()
			}
			for _, method := range []string{"SendBytes", "Recv", "Poll"} {
				testkit.UntilBlocked(t, 3, method)
			}
			if closes == "this end" {
				a.Close()
			} else {
				b.Close()
			}
			for range cap(outcomes) {
				o := <-outcomes
				ok := errors.Is(o.err, mp.ErrClosed)
				if closes != "this end" {
					ok = o.what == "send" && errors.Is(o.err, io.ErrClosedPipe) && errors.Is(o.err, syscall.EPIPE) ||
						o.what == "recv" && o.err == io.EOF || o.what == "poll" && o.err == nil
				}
				if !ok {
					t.Errorf("%s is closed, %s: %v", closes, o.what, o.err)
				}
			}
		}
	})
}

// What was sent before the end was closed is received.
func TestConnDrains(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		for i := range 100 {
			if err := a.Send(ctx, i); err != nil {
				t.Fatal(err)
			}
		}
		a.SendBytes(ctx, nil)
		a.Close()
		for i := range 100 {
			if v, err := b.Recv(ctx); v != i || err != nil {
				t.Fatal(v, err)
			}
		}
		if _, err := b.Recv(ctx); err == nil || err == io.EOF {
			t.Error("the bytes were passed over:", err)
		}
		if p, err := b.RecvBytes(ctx, 0); !bytes.Equal(p, []byte{}) || err != nil {
			t.Error(p, err)
		}
		for range 2 {
			if _, err := b.Recv(ctx); err != io.EOF {
				t.Error(err)
			}
			if _, err := b.RecvBytes(ctx, 1); err != io.EOF {
				t.Error(err)
			}
		}
	})
}

// A waiter for the one kind is told that the other has come, and a waiter for that gets it.
func TestConnWaitsForTheOtherKind(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.PipeOn[int](t, on)
		values := make(chan error, 3)
		for range 3 {
			go func() { values <- testkit.ErrorOf(b.Recv(ctx)) }()
		}
		testkit.UntilBlocked(t, 3, "Recv")
		a.SendBytes(ctx, []byte("bytes"))
		for range 3 {
			if err := <-values; err == nil || !bytes.Contains([]byte(err.Error()), []byte("RecvBytes takes it")) {
				t.Error(err)
			}
		}
		if p, err := b.RecvBytes(ctx, 0); string(p) != "bytes" || err != nil {
			t.Error(p, err)
		}
		tooLong := make(chan error)
		go func() { tooLong <- testkit.ErrorOf(b.RecvBytes(ctx, 3)) }()
		testkit.UntilBlocked(t, 1, "RecvBytes")
		a.SendBytes(ctx, []byte("bytes"))
		if err := <-tooLong; !errors.Is(err, mp.ErrFull) {
			t.Error(err)
		}
		if p, err := b.RecvBytes(ctx, 5); string(p) != "bytes" || err != nil {
			t.Error(p, err)
		}
	})
}

// An end that is garbage is closed, also by the process that made it.
func TestConnGarbage(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		a, b := testkit.UnclosedPipeOn[int](t, on)
		b.Send(ctx, 7)
		runtime.KeepAlive(b)
		got := make(chan error, 1)
		go func() {
			if v, err := a.Recv(ctx); v != 7 || err != nil {
				t.Error(v, err)
			}
			got <- testkit.ErrorOf(a.Recv(ctx))
		}()
		for {
			runtime.GC()
			select {
			case err := <-got:
				if err != io.EOF {
					t.Error(err)
				}
				a.Close()
				return
			case <-time.After(10 * time.Millisecond): // the collector tells nobody when it has found an end
			}
		}
	})
}
