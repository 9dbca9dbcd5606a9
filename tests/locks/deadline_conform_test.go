//go:build linux

package locks_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// The error of a wait is the same whether its ctx ended before or after it began. What takes
// something takes nothing with a ctx that has ended; what only looks looks once before it looks
// at its ctx.

// ctxs are the ways in which a ctx ends. Each has to be made anew.
var ctxs = map[string]struct {
	make   func(t *testing.T) context.Context
	before bool // it has ended
	is     error
}{
	"deadline before":     {func(*testing.T) context.Context { return testkit.Ended() }, true, context.DeadlineExceeded},
	"deadline meanwhile":  {func(t *testing.T) context.Context { return testkit.Shortly(t, 5*time.Millisecond) }, false, context.DeadlineExceeded},
	"cancelled before":    {func(*testing.T) context.Context { return testkit.Cancelled() }, true, context.Canceled},
	"cancelled meanwhile": {func(t *testing.T) context.Context { return cancelledSoon(t) }, false, context.Canceled},
}

func cancelledSoon(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	timer := time.AfterFunc(5*time.Millisecond, cancel)
	t.Cleanup(func() { timer.Stop() })
	return ctx
}

func TestWaitsWhoseCtxEnds(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
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
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
		b := testkit.Must(c.Barrier(2))(t)
		for _, ctx := range []context.Context{testkit.Ended(), testkit.Cancelled()} {
			if _, err := b.Wait(ctx); !errors.Is(err, mp.ErrBroken) || !errors.Is(err, ctx.Err()) || b.Broken() {
				t.Error(err, b.Broken())
			}
		}
		others := waitingAt(testkit.Ctx(t), b, 1)
		if _, err := b.Wait(testkit.Ended()); !errors.Is(err, mp.ErrBroken) || b.Waiting() != 1 {
			t.Error(err, b.Waiting())
		}
		b.Abort()
		allBroken(t, "others", others)
		if _, err := b.Wait(testkit.Ended()); !errors.Is(err, mp.ErrBroken) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error("of a broken one:", err)
		}
		if _, err := b.Wait(testkit.Ctx(t)); !errors.Is(err, mp.ErrBroken) || errors.Is(err, context.DeadlineExceeded) {
			t.Error("of one who was in time:", err)
		}
		b.Reset()
		if _, err := b.Wait(testkit.Shortly(t, 5*time.Millisecond)); !errors.Is(err, mp.ErrBroken) || !errors.Is(err, context.DeadlineExceeded) || !b.Broken() {
			t.Error(err, b.Broken())
		}
		// The error of an action is its own.
		b = testkit.Must(c.Barrier(1))(t)
		if _, err := b.WaitDo(testkit.Ctx(t), func() error { return context.Canceled }); err != context.Canceled {
			t.Error(err)
		}
	})
}

// A wait without a ctx is a mistake, which is said in words.
func TestWaitsWithoutACtx(t *testing.T) {
	testkit.OnCarriers(t, func(t *testing.T, c testkit.Carrier) {
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
		a, b := testkit.PipeOn[int](t, c)
		defer func() {
			if recover() == nil || a.Close() != nil {
				t.Error("Poll")
			}
		}()
		var none context.Context
		b.Poll(none)
	})
}
