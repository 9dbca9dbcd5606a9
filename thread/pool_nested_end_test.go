package thread_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// A task that waits has a deadline too, and a caller that cancels it.
func TestNestedWaitEndsWithItsCtx(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeafTask(t)
		var ended atomic.Int64
		p := newPool(t, mp.PoolConfig{Workers: 1})
		outer := thread.Func(func(ctx context.Context, n int) (int, error) {
			defer ended.Add(1)
			_, err := mp.Map(ctx, p, d.f, count(3))
			return 0, err
		})
		began := time.Now()
		if _, err := mp.Apply(t.Context(), p, outer, 1, mp.Timeout(time.Second)); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 1010*time.Millisecond {
			t.Error(err, time.Since(began))
		}
		time.Sleep(2 * time.Second)
		if ended.Load() != 1 || d.begun.Load() == 0 {
			t.Errorf("the outer one has ended %d times, %d inner ones were begun", ended.Load(), d.begun.Load())
		}
		if v, err := mp.Apply(t.Context(), p, double, 4); v != 8 || err != nil {
			t.Error(v, err)
		}
		d.free()
		synctest.Wait()
		if st := p.Stats(); st.Stuck != 0 || st.Running != 0 || len(st.Workers) != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// The pool ends while tasks wait for it.
func TestPoolEndsDuringNestedWaits(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *mp.Pool){
		"Close": func(p *mp.Pool) { p.Close() }, "Terminate": func(p *mp.Pool) { p.Terminate() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, mp.PoolConfig{Workers: 2})
				slow := thread.Func(func(ctx context.Context, n int) (int, error) {
					select {
					case <-time.After(time.Second):
						return n, nil
					case <-ctx.Done():
						return 0, ctx.Err()
					}
				})
				var later atomic.Value
				outer := thread.Func(func(ctx context.Context, n int) (int, error) {
					out, err := mp.Map(ctx, p, slow, count(10))
					if err == nil {
						_, again := mp.Apply(ctx, p, double, 1)
						later.Store(again)
					}
					return sum(out), err
				})
				rs := []*mp.Result[int]{mp.ApplyAsync(t.Context(), p, outer, 1), mp.ApplyAsync(t.Context(), p, outer, 2)}
				time.Sleep(1500 * time.Millisecond)
				end(p)
				if err := p.Join(t.Context()); err != nil {
					t.Error(err)
				}
				for i, r := range rs {
					v, err := r.Get(t.Context())
					if name == "Close" && (v != 45 || err != nil) || name == "Terminate" && !errors.Is(err, mp.ErrTerminated) {
						t.Errorf("%d: %d, %v", i, v, err)
					}
				}
				if err, _ := later.Load().(error); name == "Close" && !errors.Is(err, mp.ErrClosed) {
					t.Errorf("a closed pool takes tasks: %v", err)
				}
			})
		})
	}
}

// A task that ends the pool that it runs in does not wait for itself.
func TestTaskEndsItsPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 2})
		join := thread.Func(func(ctx context.Context, n int) (int, error) {
			if err := p.Resize(3); err != nil {
				return 0, err
			}
			if err := p.Join(ctx); !errors.Is(err, mp.ErrOpen) {
				return 0, fmt.Errorf("Join of an open pool: %w", err)
			}
			if err := p.Shutdown(ctx); err == nil {
				return 0, errors.New("it has waited for itself")
			}
			return n, nil
		})
		if v, err := mp.Apply(t.Context(), p, join, 5); v != 5 || err != nil {
			t.Error(v, err)
		}
		if err := p.Join(t.Context()); err != nil {
			t.Error(err)
		}
		other := newPool(t, mp.PoolConfig{Workers: 2})
		returned := make(chan struct{})
		stop := thread.Func(func(context.Context, int) (int, error) {
			other.Terminate()
			close(returned)
			return 0, nil
		})
		if _, err := mp.Apply(t.Context(), other, stop, 1); !errors.Is(err, mp.ErrTerminated) {
			t.Error(err)
		}
		<-returned
	})
}

// More waits for the events of a pool than may wait: nothing is begun meanwhile, and then all of it.
func TestNestedCallsBehindSlowEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		p := newPool(t, mp.PoolConfig{Workers: 1, Events: func(mp.PoolEvent) { <-open }})
		outer := thread.Func(func(ctx context.Context, n int) (int, error) {
			rs := make([]*mp.Result[int], n)
			for i := range rs {
				rs[i] = mp.ApplyAsync(ctx, p, double, i)
			}
			all := 0
			for _, r := range rs {
				v, err := r.Get(ctx)
				if err != nil {
					return 0, err
				}
				all += v
			}
			return all, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := mp.ApplyAsync(ctx, p, outer, 5000)
		time.Sleep(time.Second)
		close(open)
		if v, err := r.Get(ctx); v != 5000*4999 || err != nil {
			t.Errorf("%d, %v; %+v", v, err, p.Stats())
		}
	})
}

// A task that was given up while it waits is not compensated for any more.
func TestTaskThatWasGivenUpHasNoCompensation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running level
		p := newPool(t, mp.PoolConfig{Workers: 2})
		inner := thread.Func(func(context.Context, int) (int, error) {
			running.enter()
			defer running.leave()
			time.Sleep(time.Second)
			return 1, nil
		})
		returned := make(chan error, 2)
		outer := thread.Func(func(ctx context.Context, _ int) (int, error) {
			_, err := mp.Map(context.WithoutCancel(ctx), p, inner, count(40))
			returned <- err
			return 0, err
		})
		_, err := mp.Map(t.Context(), p, outer, count(2), mp.Timeout(1500*time.Millisecond))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(time.Second) // what compensating workers ran has ended
		running.most.Store(0)
		for range 2 {
			if err := <-returned; err != nil {
				t.Error(err)
			}
		}
		if n := running.most.Load(); n > 2 {
			t.Errorf("%d ran at once", n)
		}
		synctest.Wait()
		if st := p.Stats(); st.Stuck != 0 || st.Running != 0 || len(st.Workers) != 2 {
			t.Errorf("%+v", st)
		}
	})
}

// A ctx that outlives its task is not the ctx of a task any more.
func TestCtxOfAnEndedTaskHasNoCompensation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running level
		p := newPool(t, mp.PoolConfig{Workers: 1})
		keep := thread.Func(func(ctx context.Context, _ int) (context.Context, error) { return context.WithoutCancel(ctx), nil })
		old, err := mp.Apply(t.Context(), p, keep, 1)
		if err != nil {
			t.Fatal(err)
		}
		work := thread.Func(func(context.Context, int) (int, error) {
			running.enter()
			defer running.leave()
			time.Sleep(time.Second)
			return 1, nil
		})
		first := mp.ApplyAsync(t.Context(), p, work, 0)
		if _, err := mp.Map(old, p, work, count(3)); err != nil {
			t.Error(err)
		}
		if _, err := first.Get(t.Context()); err != nil {
			t.Error(err)
		}
		if n := running.most.Load(); n > 1 {
			t.Errorf("%d ran at once", n)
		}
	})
}

// askingCtx is a ctx of the program's own type, which looks at the pool whenever it is asked something.
type askingCtx struct {
	context.Context
	p *mp.Pool
}

func (c askingCtx) Value(key any) any {
	c.p.Stats()
	return c.Context.Value(key)
}

func TestPoolAsksACtxWithoutItsLock(t *testing.T) {
	t.Parallel()
	p := newPool(t, mp.PoolConfig{Workers: 1, MaxQueued: 1})
	outer := thread.Func(func(ctx context.Context, n int) (int, error) {
		ctx = askingCtx{ctx, p}
		rs := []*mp.Result[int]{mp.ApplyAsync(ctx, p, double, n), mp.ApplyAsync(ctx, p, double, n), mp.ApplyAsync(ctx, p, double, n)}
		mp.Wait(ctx, mp.AllDone, rs...)
		return mp.Apply(ctx, p, double, n)
	})
	if v, err := mp.Apply(askingCtx{t.Context(), p}, p, outer, 4); v != 8 || err != nil {
		t.Error(v, err)
	}
	p.Close()
	if err := p.Join(askingCtx{t.Context(), p}); err != nil {
		t.Error(err)
	}
}
