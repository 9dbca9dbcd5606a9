package thread_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// ends makes a pipe.
func ends[T any]() (a, b *mp.Conn[T]) {
	a, b, err := thread.NewPipe[T]()
	if err != nil {
		panic(err)
	}
	return a, b
}

// past is a ctx whose deadline has passed.
func past() context.Context {
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	cancel()
	return ctx
}

// Values are not copied.
func TestPipeSharesPointers(t *testing.T) {
	t.Parallel()
	a, b := ends[*[]int]()
	sent := &[]int{1, 2, 3}
	if err := a.Send(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Recv(t.Context()); got != sent || err != nil {
		t.Error(got, err)
	}
	if err := b.Send(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Recv(t.Context()); got != nil || err != nil {
		t.Error(got, err)
	}
}

// Send waits while 1,024 messages are on their way, in the order of coming, and no longer.
func TestPipeIsFullOfMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := ends[int]()
		const room = 1024
		for i := range room {
			if err := a.Send(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		sent := make(chan error, 3)
		for i := range 3 {
			go func() { sent <- a.Send(t.Context(), room+i) }()
			synctest.Wait()
		}
		began := time.Now()
		if err := a.Send(ctx, -1); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Error(err, time.Since(began))
		}
		if len(sent) != 0 {
			t.Error("there was room")
		}
		for i := range room + 3 {
			if v, err := b.Recv(t.Context()); v != i || err != nil {
				t.Fatal(i, v, err)
			}
			if want := min(i+1, 3); i < 10 {
				if synctest.Wait(); len(sent) != want {
					t.Errorf("after %d there was room for %d, want %d", i+1, len(sent), want)
				}
			}
		}
		if ok, err := b.Poll(past()); ok || err != nil {
			t.Error("what was given up was sent:", ok, err)
		}
	})
}

func TestPipeIsFullOfBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := ends[int]()
		const large = 5 << 20
		if err := a.SendBytes(t.Context(), make([]byte, large)); err != nil { // nothing else is on its way
			t.Fatal(err)
		}
		if err := a.Send(t.Context(), 1); err != nil { // has no bytes
			t.Fatal(err)
		}
		sent := make(chan error, 1)
		go func() { sent <- a.SendBytes(t.Context(), make([]byte, large+1)) }()
		synctest.Wait()
		if len(sent) != 0 {
			t.Error("there was room for twice as much")
		}
		if p, err := b.RecvBytes(t.Context(), 0); len(p) != large || err != nil {
			t.Error(len(p), err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if v, err := b.Recv(t.Context()); v != 1 || err != nil {
			t.Error(v, err)
		}
		if p, err := b.RecvBytes(t.Context(), 0); len(p) != large+1 || err != nil {
			t.Error(len(p), err)
		}
		for range 4 {
			if err := a.SendBytes(t.Context(), make([]byte, 256<<10)); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.SendBytes(ctx, []byte{1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("over 1 MiB:", err)
		}
	})
}

// Who gives up sends no more, and those behind for whom there is room go on, though nobody
// receives.
func TestPipeSenderWhoGivesUpLetsOthersGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := ends[int]()
		if err := a.SendBytes(t.Context(), make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		large, behind := make(chan error, 1), make(chan error, 1)
		go func() { large <- a.SendBytes(ctx, []byte{1}) }()
		synctest.Wait()
		go func() { behind <- a.Send(t.Context(), 7) }()
		synctest.Wait()
		if len(behind) != 0 {
			t.Error("somebody who waited was overtaken")
		}
		cancel()
		synctest.Wait()
		if err := <-large; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		select {
		case err := <-behind:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("there is room for a value, and its sender waits")
		}
		if p, err := b.RecvBytes(t.Context(), 0); len(p) != 1<<20 || err != nil {
			t.Error(len(p), err)
		}
		if v, err := b.Recv(t.Context()); v != 7 || err != nil {
			t.Error(v, err)
		}
	})
}

// A ctx that ends just as the message comes: it is received, or there for the next.
func TestPipeReceiverWhoGivesUp(t *testing.T) {
	t.Parallel()
	for _, cancelFirst := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := ends[int]()
			ctx, cancel := context.WithCancel(t.Context())
			type outcome struct {
				v   int
				err error
			}
			got := make(chan outcome, 2)
			for _, ctx := range []context.Context{ctx, t.Context()} {
				go func() {
					v, err := b.Recv(ctx)
					got <- outcome{v, err}
				}()
				synctest.Wait()
			}
			if cancelFirst {
				cancel()
			}
			a.Send(t.Context(), 7)
			cancel()
			synctest.Wait()
			a.Send(t.Context(), 8)
			synctest.Wait()
			var values []int
			for range 2 {
				if o := <-got; o.err == nil {
					values = append(values, o.v)
				} else if !errors.Is(o.err, context.Canceled) {
					t.Error(o.err)
				}
			}
			if len(values) == 1 {
				values = append(values, must(b.Recv(t.Context())))
			}
			if slices.Sort(values); !slices.Equal(values, []int{7, 8}) {
				t.Error(values)
			}
		})
	}
}

func TestPipePoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := ends[int]()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if ok, err := b.Poll(ctx); ok || err != nil || time.Since(began) != time.Second {
			t.Error(ok, err, time.Since(began))
		}
		polled := make(chan bool, 3)
		for range 3 {
			go func() { polled <- must(b.Poll(t.Context())) }()
		}
		synctest.Wait()
		a.Send(t.Context(), 1)
		for range 3 {
			if !<-polled {
				t.Error("something was there")
			}
		}
		if ok, err := b.Poll(past()); !ok || err != nil {
			t.Error(ok, err)
		}
		must(b.Recv(t.Context()))
		go func() { polled <- must(b.Poll(t.Context())) }()
		synctest.Wait()
		a.Close()
		if !<-polled {
			t.Error("end of file is something")
		}
	})
}

// What comes while another waits in Recv is that one's, and Poll goes on.
func TestPipePollBesideRecv(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := ends[int]()
		got := make(chan int, 1)
		go func() { got <- must(b.Recv(t.Context())) }()
		polled := make(chan bool, 1)
		go func() { polled <- must(b.Poll(t.Context())) }()
		selected := make(chan []int, 1)
		go func() { selected <- must(mp.Select(t.Context(), b)) }()
		synctest.Wait()
		a.Send(t.Context(), 1)
		synctest.Wait()
		if len(polled) != 0 || len(selected) != 0 || <-got != 1 {
			t.Error("there was nothing left")
		}
		a.Send(t.Context(), 2)
		if ready := <-selected; !<-polled || !slices.Equal(ready, []int{0}) {
			t.Error(ready)
		}
	})
}

func TestPipeCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := ends[int]()
		for range 1024 {
			a.Send(t.Context(), 0)
		}
		errs := make(chan error, 2)
		go func() { errs <- a.Send(t.Context(), 1) }()
		go func() { errs <- failure(a.Recv(t.Context())) }()
		synctest.Wait()
		if err := errors.Join(a.Close(), a.Close()); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, mp.ErrClosed) || err.Error() != "mp: this end of the pipe is closed" {
				t.Error(err)
			}
		}
		for range 1024 {
			must(b.Recv(t.Context()))
		}
		if err := failure(b.Recv(t.Context())); err != io.EOF {
			t.Error(err)
		}
		if err := b.Send(t.Context(), 1); !errors.Is(err, io.ErrClosedPipe) || !errors.Is(err, syscall.EPIPE) {
			t.Error(err)
		}
		if ready := must(mp.Select(t.Context(), a, b)); !slices.Equal(ready, []int{0, 1}) {
			t.Error(ready)
		}
	})
}

func TestOneWayPipe(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r, w, err := thread.NewOneWayPipe[int]()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{r.Send(ctx, 1), r.SendBytes(ctx, nil)} {
		if err == nil || !strings.Contains(err.Error(), "for receiving") {
			t.Error(err)
		}
	}
	for _, err := range []error{failure(w.Recv(ctx)), failure(w.RecvBytes(ctx, 0)), failure(w.Poll(ctx))} {
		if err == nil || !strings.Contains(err.Error(), "for sending") {
			t.Error(err)
		}
	}
	if ready := must(mp.Select(ctx, r, w)); !slices.Equal(ready, []int{1}) {
		t.Error("a receive from w finds an error:", ready)
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
}

// The collector, which closes an end that is garbage, is outside of the bubble in which
// others wait for what that end sends.
func TestPipeGarbageInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := ends[int]()
		ctx, cancel := context.WithCancel(t.Context())
		waits := make(chan error, 3)
		go func() { waits <- failure(a.Recv(ctx)) }()
		go func() { waits <- failure(a.Poll(ctx)) }()
		go func() { waits <- failure(mp.Select(ctx, a)) }()
		synctest.Wait()
		runtime.KeepAlive(b)
		for closed := false; !closed; { // this end is told as soon as b is closed
			runtime.GC()
			soon, cancel := context.WithTimeout(t.Context(), time.Second)
			closed = errors.Is(a.Send(soon, 0), io.ErrClosedPipe)
			cancel()
		}
		cancel()
		for range 3 {
			if err := <-waits; err != nil && err != io.EOF && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
}
