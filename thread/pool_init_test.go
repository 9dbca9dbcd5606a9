package thread_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// An Init that does not return fails the start, and is counted as long as it runs.
func TestEndlessInit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeafTask(t)
		began := time.Now()
		p, err := thread.NewPool(mp.PoolConfig{Workers: 2, Init: mp.Bind(d.f, 1), StartTimeout: time.Second})
		if p != nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Error(p, err, time.Since(began))
		}
		// One that starts later does not stop the others.
		var runs atomic.Int64
		second := thread.Func(func(ctx context.Context, n int) (int, error) {
			if runs.Add(1) == 3 {
				return d.work(ctx, n)
			}
			return 0, nil
		})
		p = newPool(t, mp.PoolConfig{Workers: 2, Init: mp.Bind(second, 1), StartTimeout: time.Hour, TasksPerWorker: 5})
		if _, err := mp.Map(t.Context(), p, double, count(100)); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Hour)
		if st := p.Stats(); st.Stuck != 1 || len(st.Workers) != 2 {
			t.Errorf("%+v", st)
		}
		p.Terminate()
		d.free()
		synctest.Wait()
		if st := p.Stats(); st.Stuck != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestTerminateDoesNotWaitForInit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeafTask(t)
		var runs atomic.Int64
		init := thread.Func(func(ctx context.Context, n int) (int, error) {
			if runs.Add(1) > 1 {
				return d.work(ctx, n)
			}
			return 0, nil
		})
		p := newPool(t, mp.PoolConfig{Workers: 1, Init: mp.Bind(init, 1), TasksPerWorker: 1})
		if _, err := mp.Apply(t.Context(), p, double, 1); err != nil {
			t.Error(err)
		}
		r := mp.ApplyAsync(t.Context(), p, double, 1)
		synctest.Wait()
		began := time.Now()
		p.Terminate()
		if _, err := r.Get(t.Context()); !errors.Is(err, mp.ErrTerminated) || time.Since(began) > time.Second {
			t.Error(err, time.Since(began))
		}
		if st := p.Stats(); st.Stuck != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// One that looks at its ctx has the same error.
func TestInitThatObeysItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		obeys := thread.Func(func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		for range 20 {
			_, err := thread.NewPool(mp.PoolConfig{Workers: 1, Init: mp.Bind(obeys, 1), StartTimeout: time.Second})
			var late *mp.TimeoutError
			if !errors.As(err, &late) || late.After != time.Second {
				t.Errorf("%v", err)
			}
		}
	})
}
