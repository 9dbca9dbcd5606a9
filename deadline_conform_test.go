//go:build linux

package mp_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
)

// The error of a wait is the same whether its ctx ended before or after it began. What takes
// something takes nothing with a ctx that has ended; what only looks looks once before it looks
// at its ctx.

// wait is something that waits.
type wait struct {
	blocked   func(ctx context.Context) error // waits for what does not come
	ready     func(ctx context.Context) error // need not wait; nil: there is no such state
	looks     bool                            // it takes nothing: ready has no error, whatever the ctx
	untouched func() bool                     // nothing was taken
	late      []error                         // what the error is besides the ctx's when a deadline has passed
	ended     []error                         // what it is besides the ctx's, however that ended
}

var waitKinds = map[string]func(t *testing.T, c carrier) wait{
	"Lock.Acquire": func(t *testing.T, c carrier) wait {
		held, free := must1(c.lock())(t), must1(c.lock())(t)
		must1(held.Acquire(queueCtx(t)))(t)
		return wait{
			blocked:   func(ctx context.Context) error { return errorOf(held.Acquire(ctx)) },
			ready:     func(ctx context.Context) error { return errorOf(free.Acquire(ctx)) },
			untouched: func() bool { return !free.Locked() },
		}
	},
	"Lock.Do": func(t *testing.T, c carrier) wait {
		held, free := must1(c.lock())(t), must1(c.lock())(t)
		must1(held.Acquire(queueCtx(t)))(t)
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
	"RLock.Acquire": func(t *testing.T, c carrier) wait {
		held, free := must1(c.rlock())(t), must1(c.rlock())(t)
		if _, _, ok := held.TryAcquire(queueCtx(t)); !ok {
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
	"Semaphore.Acquire": func(t *testing.T, c carrier) wait {
		none, one := must1(c.semaphore(0))(t), must1(c.boundedSemaphore(1))(t)
		return wait{
			blocked:   func(ctx context.Context) error { return errorOf(none.Acquire(ctx)) },
			ready:     func(ctx context.Context) error { return errorOf(one.Acquire(ctx)) },
			untouched: func() bool { return none.Available() == 0 && one.Available() == 1 },
		}
	},
	"Condition.Acquire": func(t *testing.T, c carrier) wait {
		held, free := must1(c.condition(nil))(t), must1(c.condition(nil))(t)
		must1(held.Acquire(queueCtx(t)))(t)
		return wait{
			blocked: func(ctx context.Context) error { return errorOf(held.Acquire(ctx)) },
			ready:   func(ctx context.Context) error { return errorOf(free.Acquire(ctx)) },
			untouched: func() bool {
				h, ok := free.TryAcquire()
				h.Release()
				return ok
			},
		}
	},
	"Condition.Wait": func(t *testing.T, c carrier) wait {
		cond := must1(c.condition(nil))(t)
		h := must1(cond.Acquire(queueCtx(t)))(t)
		return wait{
			blocked: func(ctx context.Context) error { return errorOf(cond.Wait(ctx, h)) },
			untouched: func() bool { // the lock is not held after an error
				again, ok := cond.TryAcquire()
				return ok && again.Release() == nil && errors.Is(h.Release(), mp.ErrNotOwner)
			},
		}
	},
	"Condition.WaitFor": func(t *testing.T, c carrier) wait {
		cond := must1(c.condition(nil))(t)
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
	"Event.Wait": func(t *testing.T, c carrier) wait {
		unset, set := must1(c.event())(t), must1(c.event())(t)
		set.Set()
		return wait{blocked: unset.Wait, ready: set.Wait, looks: true}
	},
	"Barrier.Wait": func(t *testing.T, c carrier) wait {
		two, one := must1(c.barrier(2))(t), must1(c.barrier(1))(t)
		return wait{
			blocked:   func(ctx context.Context) error { return errorOf(two.Wait(ctx)) },
			ready:     func(ctx context.Context) error { return errorOf(one.Wait(ctx)) },
			untouched: func() bool { return two.Waiting() == 0 && !one.Broken() },
			ended:     []error{mp.ErrBroken},
		}
	},
	"Value.Update": func(t *testing.T, c carrier) wait {
		busy, idle := must1(valueOn(c, 1))(t), must1(valueOn(c, 1))(t)
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
	"Conn.Recv": func(t *testing.T, c carrier) wait {
		_, empty := pipeOn[int](t, c)
		a, b := pipeOn[int](t, c)
		if err := a.Send(queueCtx(t), 1); err != nil {
			t.Fatal(err)
		}
		return wait{
			blocked: func(ctx context.Context) error { return errorOf(empty.Recv(ctx)) },
			ready:   func(ctx context.Context) error { return errorOf(b.Recv(ctx)) },
			untouched: func() bool {
				is, err := b.Poll(ended())
				return is && err == nil
			},
		}
	},
	"Conn.RecvBytes": func(t *testing.T, c carrier) wait {
		_, empty := pipeOn[int](t, c)
		a, b := pipeOn[int](t, c)
		if err := a.SendBytes(queueCtx(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
		return wait{
			blocked: func(ctx context.Context) error { return errorOf(empty.RecvBytes(ctx, 0)) },
			ready:   func(ctx context.Context) error { return errorOf(b.RecvBytesInto(ctx, make([]byte, 9))) },
			untouched: func() bool {
				is, err := b.Poll(cancelled())
				return is && err == nil
			},
		}
	},
	"Conn.Send": func(t *testing.T, c carrier) wait {
		full, _ := pipeOn[int](t, c)
		fillConn(t, full, 64<<10)
		a, b := pipeOn[int](t, c)
		return wait{
			blocked: func(ctx context.Context) error { return full.SendBytes(ctx, make([]byte, 64<<10)) },
			ready:   func(ctx context.Context) error { return a.Send(ctx, 1) },
			untouched: func() bool {
				is, err := b.Poll(ended())
				return !is && err == nil
			},
		}
	},
}

func init() {
	for _, kind := range queueKinds() {
		of := func(f func(q, ready *mp.Queue[int]) wait) func(*testing.T, carrier) wait {
			return func(t *testing.T, c carrier) wait {
				if c.goroutines != strings.HasPrefix(kind.name, "goroutines") {
					t.Skip("a queue of the other carrier")
				}
				return f(kind.new(t, 1), kind.new(t, 1))
			}
		}
		waitKinds["Queue.Get, "+kind.name] = of(func(empty, one *mp.Queue[int]) wait {
			one.TryPut(1)
			return wait{
				blocked: func(ctx context.Context) error { return errorOf(empty.Get(ctx)) },
				ready: func(ctx context.Context) error {
					for _, err := range one.All(ctx) { // as Get
						return errors.Join(err, errorOf(one.Get(ctx)))
					}
					return errors.New("closed")
				},
				untouched: func() bool { return one.Len() == 1 },
				late:      []error{mp.ErrEmpty},
			}
		})
		waitKinds["Queue.Put, "+kind.name] = of(func(full, none *mp.Queue[int]) wait {
			full.TryPut(1)
			return wait{
				blocked:   func(ctx context.Context) error { return full.Put(ctx, 2) },
				ready:     func(ctx context.Context) error { return none.Put(ctx, 2) },
				untouched: func() bool { return full.Len() == 1 && none.Len() == 0 },
				late:      []error{mp.ErrFull},
			}
		})
		waitKinds["Queue.Join, "+kind.name] = of(func(one, none *mp.Queue[int]) wait {
			one.TryPut(1)
			return wait{blocked: one.Join, ready: none.Join, looks: true, untouched: func() bool { return one.Len() == 1 }}
		})
		waitKinds["Queue.Put without a bound, "+kind.name] = func(t *testing.T, c carrier) wait {
			if c.goroutines != strings.HasPrefix(kind.name, "goroutines") {
				t.Skip("a queue of the other carrier")
			}
			q := kind.new(t, mp.Unbounded)
			return wait{
				ready:     func(ctx context.Context) error { return q.Put(ctx, 2) },
				untouched: func() bool { return q.Len() == 0 },
				late:      []error{mp.ErrFull},
			}
		}
	}
}

// ctxs are the ways in which a ctx ends. Each has to be made anew.
var ctxs = map[string]struct {
	make   func(t *testing.T) context.Context
	before bool // it has ended
	is     error
}{
	"deadline before":     {func(*testing.T) context.Context { return ended() }, true, context.DeadlineExceeded},
	"deadline meanwhile":  {func(t *testing.T) context.Context { return shortly(t, 5*time.Millisecond) }, false, context.DeadlineExceeded},
	"cancelled before":    {func(*testing.T) context.Context { return cancelled() }, true, context.Canceled},
	"cancelled meanwhile": {func(t *testing.T) context.Context { return cancelledSoon(t) }, false, context.Canceled},
}

func cancelledSoon(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	timer := time.AfterFunc(5*time.Millisecond, cancel)
	t.Cleanup(func() { timer.Stop() })
	return ctx
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

func TestWaitsWhoseCtxEnds(t *testing.T) {
	onCarriers(t, func(t *testing.T, c carrier) {
		for what, make := range waitKinds {
			for how, ctx := range ctxs {
				t.Run(what+"/"+how, func(t *testing.T) {
					t.Parallel()
					w := make(t, c)
					if w.blocked != nil {
						w.mustBe(t, w.blocked(ctx.make(t)), ctx.is)
					}
					if w.ready != nil && ctx.before {
						if err := w.ready(ctx.make(t)); !w.looks {
							w.mustBe(t, err, ctx.is)
						} else if err != nil {
							t.Errorf("what there is to see was not seen: %v", err)
						}
					}
					if w.untouched != nil && !w.untouched() {
						t.Error("something was taken")
					}
				})
			}
		}
	})
}

// A party that came too late has broken the barrier only if it had come at all.
func TestBarrierOfALateParty(t *testing.T) {
	onCarriers(t, func(t *testing.T, c carrier) {
		b := must1(c.barrier(2))(t)
		for _, ctx := range []context.Context{ended(), cancelled()} {
			if _, err := b.Wait(ctx); !errors.Is(err, mp.ErrBroken) || !errors.Is(err, ctx.Err()) || b.Broken() {
				t.Error(err, b.Broken())
			}
		}
		others := waitingAt(queueCtx(t), b, 1)
		for b.Waiting() != 1 {
			time.Sleep(time.Millisecond)
		}
		if _, err := b.Wait(ended()); !errors.Is(err, mp.ErrBroken) || b.Waiting() != 1 {
			t.Error(err, b.Waiting())
		}
		b.Abort()
		allBroken(t, "others", others)
		if _, err := b.Wait(ended()); !errors.Is(err, mp.ErrBroken) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error("of a broken one:", err)
		}
		if _, err := b.Wait(queueCtx(t)); !errors.Is(err, mp.ErrBroken) || errors.Is(err, context.DeadlineExceeded) {
			t.Error("of one who was in time:", err)
		}
		b.Reset()
		if _, err := b.Wait(shortly(t, 5*time.Millisecond)); !errors.Is(err, mp.ErrBroken) || !errors.Is(err, context.DeadlineExceeded) || !b.Broken() {
			t.Error(err, b.Broken())
		}
		// The error of an action is its own.
		b = must1(c.barrier(1))(t)
		if _, err := b.WaitDo(queueCtx(t), func() error { return context.Canceled }); err != context.Canceled {
			t.Error(err)
		}
	})
}

// A wait without a ctx is a mistake, which is said in words.
func TestWaitsWithoutACtx(t *testing.T) {
	onCarriers(t, func(t *testing.T, c carrier) {
		for what, make := range waitKinds {
			t.Run(what, func(t *testing.T) {
				t.Parallel()
				w := make(t, c)
				for _, f := range []func(context.Context) error{w.blocked, w.ready} {
					if f == nil {
						continue
					}
					func() {
						defer func() {
							text, _ := recover().(string)
							if !strings.HasPrefix(text, "mp: ") || !strings.Contains(text, "context is nil") {
								t.Errorf("panic(%q)", text)
							}
						}()
						t.Error("no panic:", f(nil))
					}()
				}
			})
		}
		a, b := pipeOn[int](t, c)
		defer func() {
			if recover() == nil || a.Close() != nil {
				t.Error("Poll")
			}
		}()
		var none context.Context
		b.Poll(none)
	})
}
