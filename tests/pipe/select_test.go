//go:build linux

package pipe_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
	"github.com/gomultiprocessing/mp/thread"
)

// untilSet ends when the event that it is given is set.
var untilSet = mp.Register("test.select.until", func(ctx context.Context, e *mp.Event) (mp.None, error) {
	return mp.None{}, e.Wait(ctx)
})

func newEvent(t *testing.T) *mp.Event {
	t.Helper()
	e, err := mp.NewEvent()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSelectOfProcessesAndResults(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	a, b, c := newEvent(t), newEvent(t), newEvent(t)
	p, err := mp.Start(ctx, untilSet, a)
	if err != nil {
		t.Fatal(err)
	}
	q, err := mp.Start(ctx, untilSet, b)
	if err != nil {
		t.Fatal(err)
	}
	r := mp.ApplyAsync(ctx, testkit.NewPool(t, mp.PoolConfig{Workers: 1}), untilSet, c)
	all := []mp.Selectable{p, q, r, a, b, c}
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if ready, err := mp.Select(short, all...); ready != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing is ready, and Select says %v, %v", ready, err)
	}
	expect := func(want ...int) {
		t.Helper()
		for {
			ready, err := mp.Select(ctx, all...)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(ready, want) {
				return
			}
			if len(ready) > len(want) {
				t.Fatalf("ready are %d, want %d", ready, want)
			}
			time.Sleep(time.Millisecond) // the other one is on its way
		}
	}
	b.Set()
	expect(1, 4)
	c.Set()
	expect(1, 2, 4, 5)
	a.Set()
	expect(0, 1, 2, 3, 4, 5)
	a.Clear()
	expect(0, 1, 2, 4, 5)
}

func TestSelectWakesForASetElsewhere(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	events := make([]mp.Selectable, 100)
	for i := range events {
		events[i] = newEvent(t)
	}
	for _, i := range []int{0, 57, 99} {
		e := events[i].(*mp.Event)
		p, err := mp.Start(ctx, setEvent, e)
		if err != nil {
			t.Fatal(err)
		}
		ready, err := mp.Select(ctx, events...)
		if err != nil || !slices.Equal(ready, []int{i}) {
			t.Errorf("ready are %v, %v, want %d", ready, err, i)
		}
		e.Clear()
		if err := p.Join(ctx); err != nil {
			t.Error(err)
		}
	}
}

var setEvent = mp.Register("test.select.set", func(ctx context.Context, e *mp.Event) (mp.None, error) {
	e.Set()
	return mp.None{}, nil
})

func TestSelectRefuses(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	e := newEvent(t)
	if _, err := mp.Select(ctx); err == nil {
		t.Error("nothing was waited for")
	}
	var none *mp.Event
	for _, bad := range []mp.Selectable{nil, none, new(mp.Event), new(mp.Queue[int])} {
		if _, err := mp.Select(ctx, e, bad); err == nil || !strings.Contains(err.Error(), "number 1") {
			t.Errorf("the error is %v, want one that names number 1", err)
		}
	}
	e.Set()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if ready, err := mp.Select(ended, e); len(ready) != 1 || err != nil {
		t.Errorf("of what is ready, with a ctx that has ended: %v, %v", ready, err)
	}
	e.Clear()
	if ready, err := mp.Select(ended, e); ready != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("of what is not ready, with a ctx that has ended: %v, %v", ready, err)
	}
}

// echo sends what comes through a queue and a pipe back through the others.
type echo struct {
	In, Out *mp.Queue[int]
	Pipe    *mp.Conn[int]
}

var selectEcho = mp.Register("test.select.echo", func(ctx context.Context, e echo) (n int, err error) {
	for {
		ready, err := mp.Select(ctx, e.In, e.Pipe)
		if err != nil {
			return n, err
		}
		for _, i := range ready {
			if i == 0 {
				v, err := e.In.TryGet()
				if errors.Is(err, mp.ErrClosed) {
					return n, nil
				}
				if err == nil {
					n++
					err = e.Out.Put(ctx, v)
				}
				if err != nil && !errors.Is(err, mp.ErrEmpty) {
					return n, err
				}
				continue
			}
			v, err := e.Pipe.Recv(ctx)
			if err != nil {
				return n, err
			}
			n++
			if err := e.Pipe.Send(ctx, v); err != nil {
				return n, err
			}
		}
	}
})

func TestSelectOfQueuesAndPipes(t *testing.T) {
	t.Parallel()
	ctx := testkit.Ctx(t)
	e := echo{In: testkit.NewQueue[int](t, 3), Out: testkit.NewQueue[int](t, mp.Unbounded)}
	here, there, err := mp.NewPipe[int]()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	e.Pipe = there
	r := mp.ApplyAsync(ctx, testkit.NewPool(t, mp.PoolConfig{Workers: 1}), selectEcho, e)
	const each = 500
	var queued, piped int
	go func() {
		for i := range each {
			if e.In.Put(ctx, i) != nil || here.Send(ctx, i) != nil {
				return
			}
		}
	}()
	for queued+piped < 2*each {
		ready, err := mp.Select(ctx, r, here, e.Out)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range ready {
			switch i {
			case 0:
				t.Fatal(r.Err())
			case 1:
				if v, err := here.Recv(ctx); err != nil || v != piped {
					t.Fatalf("number %d by the pipe is %d, %v", piped, v, err)
				}
				piped++
			case 2:
				if v, err := e.Out.TryGet(); err != nil || v != queued {
					t.Fatalf("number %d by the queue is %d, %v", queued, v, err)
				}
				queued++
			}
		}
	}
	e.In.Close()
	if n, err := r.Get(ctx); n != 2*each || err != nil {
		t.Errorf("echoed %d, %v", n, err)
	}
}

func TestSelectOfClosedAndEnded(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		q := testkit.Must(queueOn[int](on, 1))(t)
		a, b := testkit.PipeOn[int](t, on)
		done := make(chan []int, 1)
		go func() {
			ready, _ := mp.Select(ctx, q, a)
			done <- ready
		}()
		b.Close()
		if ready := <-done; !slices.Equal(ready, []int{1}) {
			t.Errorf("at end of file ready are %d", ready)
		}
		q.Close()
		if ready, err := mp.Select(ctx, q, a); !slices.Equal(ready, []int{0, 1}) {
			t.Errorf("and with a closed queue %d, %v", ready, err)
		}
	})
}

// Select sees each kind of thing become ready, and no other.
func TestSelectOfEach(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, on testkit.Carrier) {
		ctx := testkit.Ctx(t)
		q, e := testkit.Must(queueOn[int](on, 1))(t), testkit.Must(on.Event())(t)
		a, b := testkit.PipeOn[int](t, on)
		all := []mp.Selectable{q, e, b}
		selected := make(chan []int)
		for range testkit.Times(50, 1000) {
			for i, become := range []func() error{
				func() error { return q.Put(ctx, 1) },
				func() error { e.Set(); return nil },
				func() error { return a.SendBytes(ctx, nil) },
			} {
				go func() {
					ready, err := mp.Select(ctx, all...)
					if err != nil {
						t.Error(err)
					}
					selected <- ready
				}()
				runtime.Gosched()
				if err := become(); err != nil {
					t.Error(err)
				}
				if ready := <-selected; !slices.Equal(ready, []int{i}) {
					t.Fatalf("ready are %d, not %d", ready, i)
				}
				e.Clear()
				q.TryGet()
				if i == 2 {
					b.RecvBytes(ctx, 0)
				}
			}
		}
		if ready, err := mp.Select(testkit.Shortly(t, 5*time.Millisecond), all...); ready != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Error("what was taken is not ready:", ready, err)
		}
	})
}

func queueOn[T any](c testkit.Carrier, capacity int) (*mp.Queue[T], error) {
	if c.Goroutines {
		return thread.NewQueue[T](capacity)
	}
	return mp.NewQueue[T](capacity)
}

// What is given to Select and returned costs nothing while nothing happens.
func TestSelectIdleUsesNoProcessorTime(t *testing.T) {
	all := make([]mp.Selectable, 100)
	for i := range all {
		all[i] = testkit.NewQueue[int](t, 1)
	}
	goroutines := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(testkit.Ctx(t))
	ended := make(chan error, 1)
	go func() {
		_, err := mp.Select(ctx, all...)
		ended <- err
	}()
	testkit.UntilBlocked(t, 1, "Select")
	begin := testkit.ProcessorTime(t)
	time.Sleep(time.Second) // what is measured
	// Other tests' goroutines may still be ending, and the machine is noisy: the figure that
	// is aimed at is 1 ms.
	if used := testkit.ProcessorTime(t) - begin; used > 20*time.Millisecond {
		t.Errorf("%v of processor time in a second", used)
	} else {
		t.Logf("%v of processor time in a second", used)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	testkit.Until(t, "Select's goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// More than the runtime can wait for is an error and not a panic; a process that was not started
// would never end.
func TestSelectOfTooMany(t *testing.T) {
	many := make([]mp.Selectable, 1<<16)
	for i := range many {
		many[i] = new(mp.Result[int])
	}
	if _, err := mp.Select(testkit.Ctx(t), many...); err == nil || !strings.Contains(err.Error(), "65534") {
		t.Error(err)
	}
	if _, err := mp.Select(testkit.Shortly(t, time.Second), many[2:]...); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := mp.Select(testkit.Shortly(t, time.Second), new(mp.Process)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestSelectErrorsHaveOnePrefix(t *testing.T) {
	t.Parallel()
	e, err := mp.NewEvent()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := mp.Select(t.Context(), e); !errors.Is(err, mp.ErrClosed) || strings.Count(err.Error(), "mp: ") != 1 {
		t.Error(err)
	}
}
