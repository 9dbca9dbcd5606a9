//go:build linux

package locks_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// wait is something that waits.
type wait struct {
	blocked   func(ctx context.Context) error // waits for what does not come
	ready     func(ctx context.Context) error // need not wait; nil: there is no such state
	looks     bool                            // it takes nothing: ready has no error, whatever the ctx
	untouched func() bool                     // nothing was taken
	late      []error                         // what the error is besides the ctx's when a deadline has passed
	ended     []error                         // what it is besides the ctx's, however that ended
}

var waitKinds = map[string]func(t *testing.T, c testkit.Carrier) wait{
	"Lock.Acquire": func(t *testing.T, c testkit.Carrier) wait {
		held, free := testkit.Must(c.Lock())(t), testkit.Must(c.Lock())(t)
		testkit.Must(held.Acquire(testkit.Ctx(t)))(t)
		return wait{
			blocked:   func(ctx context.Context) error { return testkit.ErrorOf(held.Acquire(ctx)) },
			ready:     func(ctx context.Context) error { return testkit.ErrorOf(free.Acquire(ctx)) },
			untouched: func() bool { return !free.Locked() },
		}
	},
	"Lock.Do": func(t *testing.T, c testkit.Carrier) wait {
		held, free := testkit.Must(c.Lock())(t), testkit.Must(c.Lock())(t)
		testkit.Must(held.Acquire(testkit.Ctx(t)))(t)
		called := false
		do := func(ctx context.Context, l *mp.Lock) error {
			return l.Do(ctx, func(mp.Hold) error { called = true; return nil })
		}
		return wait{
			blocked:   func(ctx context.Context) error { return do(ctx, held) },
			ready:     func(ctx context.Context) error { return do(ctx, free) },
			untouched: func() bool { return !called && !free.Locked() },
		}
	},
	"RLock.Acquire": func(t *testing.T, c testkit.Carrier) wait {
		held, free := testkit.Must(c.Rlock())(t), testkit.Must(c.Rlock())(t)
		if _, _, ok := held.TryAcquire(testkit.Ctx(t)); !ok {
			t.Fatal("not free")
		}
		acquire := func(ctx context.Context, l *mp.RLock) error {
			_, _, err := l.Acquire(ctx)
			return err
		}
		return wait{
			blocked: func(ctx context.Context) error { return acquire(ctx, held) },
			ready: func(ctx context.Context) error {
				if _, _, ok := free.TryAcquire(ctx); ok {
					return errors.New("TryAcquire has taken it")
				}
				return acquire(ctx, free)
			},
			untouched: func() bool { return !free.Locked() },
		}
	},
	"Semaphore.Acquire": func(t *testing.T, c testkit.Carrier) wait {
		none, one := testkit.Must(c.Semaphore(0))(t), testkit.Must(c.BoundedSemaphore(1))(t)
		return wait{
			blocked:   func(ctx context.Context) error { return testkit.ErrorOf(none.Acquire(ctx)) },
			ready:     func(ctx context.Context) error { return testkit.ErrorOf(one.Acquire(ctx)) },
			untouched: func() bool { return none.Available() == 0 && one.Available() == 1 },
		}
	},
	"Condition.Acquire": func(t *testing.T, c testkit.Carrier) wait {
		held, free := testkit.Must(c.Condition(nil))(t), testkit.Must(c.Condition(nil))(t)
		testkit.Must(held.Acquire(testkit.Ctx(t)))(t)
		return wait{
			blocked: func(ctx context.Context) error { return testkit.ErrorOf(held.Acquire(ctx)) },
			ready:   func(ctx context.Context) error { return testkit.ErrorOf(free.Acquire(ctx)) },
			untouched: func() bool {
				h, ok := free.TryAcquire()
				h.Release()
				return ok
			},
		}
	},
	"Condition.Wait": func(t *testing.T, c testkit.Carrier) wait {
		cond := testkit.Must(c.Condition(nil))(t)
		h := testkit.Must(cond.Acquire(testkit.Ctx(t)))(t)
		return wait{
			blocked: func(ctx context.Context) error { return testkit.ErrorOf(cond.Wait(ctx, h)) },
			untouched: func() bool { // the lock is not held after an error
				again, ok := cond.TryAcquire()
				return ok && again.Release() == nil && errors.Is(h.Release(), mp.ErrNotOwner)
			},
		}
	},
	"Condition.WaitFor": func(t *testing.T, c testkit.Carrier) wait {
		cond := testkit.Must(c.Condition(nil))(t)
		is := false
		wait := wait{looks: true}
		waitFor := func(ctx context.Context) error {
			h, err := cond.Acquire(context.Background())
			if err != nil {
				return err
			}
			defer h.Release() // of the first, also after a panic
			if h, err = cond.WaitFor(ctx, h, func() bool { return is }); err != nil {
				return err
			}
			return h.Release()
		}
		wait.blocked = func(ctx context.Context) error { is = false; return waitFor(ctx) }
		wait.ready = func(ctx context.Context) error { is = true; return waitFor(ctx) }
		return wait
	},
	"Event.Wait": func(t *testing.T, c testkit.Carrier) wait {
		unset, set := testkit.Must(c.Event())(t), testkit.Must(c.Event())(t)
		set.Set()
		return wait{blocked: unset.Wait, ready: set.Wait, looks: true}
	},
	"Barrier.Wait": func(t *testing.T, c testkit.Carrier) wait {
		two, one := testkit.Must(c.Barrier(2))(t), testkit.Must(c.Barrier(1))(t)
		return wait{
			blocked:   func(ctx context.Context) error { return testkit.ErrorOf(two.Wait(ctx)) },
			ready:     func(ctx context.Context) error { return testkit.ErrorOf(one.Wait(ctx)) },
			untouched: func() bool { return two.Waiting() == 0 && !one.Broken() },
			ended:     []error{mp.ErrBroken},
		}
	},
	"Value.Update": func(t *testing.T, c testkit.Carrier) wait {
		busy, idle := testkit.Must(testkit.ValueOn(c, 1))(t), testkit.Must(testkit.ValueOn(c, 1))(t)
		began, end := make(chan struct{}), make(chan struct{})
		go busy.Update(context.Background(), func(*int) { close(began); <-end })
		<-began
		t.Cleanup(func() { close(end) })
		return wait{
			blocked: func(ctx context.Context) error { return busy.Store(ctx, 2) },
			ready: func(ctx context.Context) error {
				return errors.Join(idle.Store(ctx, 2), idle.Update(ctx, func(v *int) { *v = 3 }))
			},
			untouched: func() bool { return busy.Load() == 1 && idle.Load() == 1 },
		}
	},
	"Conn.Recv": func(t *testing.T, c testkit.Carrier) wait {
		_, empty := testkit.PipeOn[int](t, c)
		a, b := testkit.PipeOn[int](t, c)
		if err := a.Send(testkit.Ctx(t), 1); err != nil {
			t.Fatal(err)
		}
		return wait{
			blocked: func(ctx context.Context) error { return testkit.ErrorOf(empty.Recv(ctx)) },
			ready:   func(ctx context.Context) error { return testkit.ErrorOf(b.Recv(ctx)) },
			untouched: func() bool {
				is, err := b.Poll(testkit.Ended())
				return is && err == nil
			},
		}
	},
	"Conn.RecvBytes": func(t *testing.T, c testkit.Carrier) wait {
		_, empty := testkit.PipeOn[int](t, c)
		a, b := testkit.PipeOn[int](t, c)
		if err := a.SendBytes(testkit.Ctx(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
		return wait{
			blocked: func(ctx context.Context) error { return testkit.ErrorOf(empty.RecvBytes(ctx, 0)) },
			ready:   func(ctx context.Context) error { return testkit.ErrorOf(b.RecvBytesInto(ctx, make([]byte, 9))) },
			untouched: func() bool {
				is, err := b.Poll(testkit.Cancelled())
				return is && err == nil
			},
		}
	},
	"Conn.Send": func(t *testing.T, c testkit.Carrier) wait {
		full, _ := testkit.PipeOn[int](t, c)
		testkit.FillConn(t, full, 64<<10)
		a, b := testkit.PipeOn[int](t, c)
		return wait{
			blocked: func(ctx context.Context) error { return full.SendBytes(ctx, make([]byte, 64<<10)) },
			ready:   func(ctx context.Context) error { return a.Send(ctx, 1) },
			untouched: func() bool {
				is, err := b.Poll(testkit.Ended())
				return !is && err == nil
			},
		}
	},
}

func init() {
	for _, kind := range testkit.QueueKinds() {
		of := func(f func(q, ready *mp.Queue[int]) wait) func(*testing.T, testkit.Carrier) wait {
			return func(t *testing.T, c testkit.Carrier) wait {
				if c.Goroutines != strings.HasPrefix(kind.Name, "goroutines") {
					t.Skip("a queue of the other carrier")
				}
				return f(kind.New(t, 1), kind.New(t, 1))
			}
		}
		waitKinds["Queue.Get, "+kind.Name] = of(func(empty, one *mp.Queue[int]) wait {
			one.TryPut(1)
			return wait{
				blocked: func(ctx context.Context) error { return testkit.ErrorOf(empty.Get(ctx)) },
				ready: func(ctx context.Context) error {
					for _, err := range one.All(ctx) { // as Get
						return errors.Join(err, testkit.ErrorOf(one.Get(ctx)))
					}
					return errors.New("closed")
				},
				untouched: func() bool { return one.Len() == 1 },
				late:      []error{mp.ErrEmpty},
			}
		})
		waitKinds["Queue.Put, "+kind.Name] = of(func(full, none *mp.Queue[int]) wait {
			full.TryPut(1)
			return wait{
				blocked:   func(ctx context.Context) error { return full.Put(ctx, 2) },
				ready:     func(ctx context.Context) error { return none.Put(ctx, 2) },
				untouched: func() bool { return full.Len() == 1 && none.Len() == 0 },
				late:      []error{mp.ErrFull},
			}
		})
		waitKinds["Queue.Join, "+kind.Name] = of(func(one, none *mp.Queue[int]) wait {
			one.TryPut(1)
			return wait{blocked: one.Join, ready: none.Join, looks: true, untouched: func() bool { return one.Len() == 1 }}
		})
		waitKinds["Queue.Put without a bound, "+kind.Name] = func(t *testing.T, c testkit.Carrier) wait {
			if c.Goroutines != strings.HasPrefix(kind.Name, "goroutines") {
				t.Skip("a queue of the other carrier")
			}
			q := kind.New(t, mp.Unbounded)
			return wait{
				ready:     func(ctx context.Context) error { return q.Put(ctx, 2) },
				untouched: func() bool { return q.Len() == 0 },
				late:      []error{mp.ErrFull},
			}
		}
	}
}

// mustBe says which of all errors an error is to be.
func (w wait) mustBe(t *testing.T, err, of error) {
	t.Helper()
	want := append([]error{of}, w.ended...)
	if of == context.DeadlineExceeded {
		want = append(want, w.late...)
	}
	for _, one := range []error{context.DeadlineExceeded, context.Canceled, mp.ErrFull, mp.ErrEmpty, mp.ErrBroken, mp.ErrClosed, mp.ErrNotOwner} {
		if is := errors.Is(err, one); is != slices.Contains(want, one) {
			t.Errorf("%q: is %q: %v", err, one, is)
		}
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) { // of errors that are joined
			if strings.Count(line, "mp: ") > 1 {
				t.Errorf("%q says whose it is more than once", err)
			}
		}
	}
}
