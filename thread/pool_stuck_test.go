package thread_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// deafTask is a function that does not look at its ctx, until the test is over or lets it go.
type deafTask struct {
	f     *mp.Func[int, int]
	begun atomic.Int64
	letGo chan struct{}
}

func newDeafTask(t *testing.T) *deafTask {
	d := &deafTask{letGo: make(chan struct{})}
	d.f = thread.Func(d.work)
	t.Cleanup(d.free)
	return d
}

func (d *deafTask) work(_ context.Context, n int) (int, error) {
	d.begun.Add(1)
	<-d.letGo
	return n + 1000, nil
}

// free has the tasks return.
func (d *deafTask) free() {
	select {
	case <-d.letGo:
	default:
		close(d.letGo)
	}
}

// An endless task has its outcome when its time is over, whoever ends it.
func TestEndlessTaskHasItsOutcome(t *testing.T) {
	t.Parallel()
	const grace = 10 * time.Millisecond
	isLate := func(err error) bool {
		var late *mp.TimeoutError
		var task *mp.TaskError
		return errors.As(err, &late) && late.After == time.Second && errors.As(err, &task) && errors.Is(err, context.DeadlineExceeded)
	}
	for name, c := range map[string]struct {
		end   func(t *testing.T, p *mp.Pool, f *mp.Func[int, int]) error
		after time.Duration
		is    func(error) bool
	}{
		"Timeout": {func(t *testing.T, p *mp.Pool, f *mp.Func[int, int]) error {
			_, err := mp.Apply(t.Context(), p, f, 1, mp.Timeout(time.Second))
			return err
		}, time.Second + grace, isLate},
		"Timeout of a Map": {func(t *testing.T, p *mp.Pool, f *mp.Func[int, int]) error {
			_, err := mp.Map(t.Context(), p, f, []int{1}, mp.Timeout(time.Second))
			return err
		}, time.Second + grace, isLate},
		"Timeout in an Imap": {func(t *testing.T, p *mp.Pool, f *mp.Func[int, int]) (err error) {
			for _, err = range mp.Imap(t.Context(), p, f, func(yield func(int) bool) { yield(1) }, mp.Timeout(time.Second)) {
			}
			return err
		}, time.Second + grace, isLate},
		"deadline": {func(t *testing.T, p *mp.Pool, f *mp.Func[int, int]) error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := mp.Apply(ctx, p, f, 1)
			return err
		}, time.Second, func(err error) bool { return err == context.DeadlineExceeded }},
		"deadline of a Result": {func(t *testing.T, p *mp.Pool, f *mp.Func[int, int]) error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := mp.ApplyAsync(ctx, p, f, 1).Get(context.Background())
			return err
		}, time.Second, func(err error) bool { return err == context.DeadlineExceeded }},
		"Cancel": {func(t *testing.T, p *mp.Pool, f *mp.Func[int, int]) error {
			r := mp.ApplyAsync(t.Context(), p, f, 1)
			time.Sleep(time.Second)
			r.Cancel()
			_, err := r.Get(t.Context())
			return err
		}, time.Second, func(err error) bool { return errors.Is(err, mp.ErrCancelled) }},
		"Terminate": {func(t *testing.T, p *mp.Pool, f *mp.Func[int, int]) error {
			r := mp.ApplyAsync(t.Context(), p, f, 1)
			time.Sleep(time.Second)
			p.Terminate()
			_, err := r.Get(t.Context())
			return err
		}, time.Second, func(err error) bool { return errors.Is(err, mp.ErrTerminated) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDeafTask(t)
				p := newPool(t, mp.PoolConfig{Workers: 1})
				began := time.Now()
				if err := c.end(t, p, d.f); !c.is(err) || time.Since(began) != c.after {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				time.Sleep(grace)
				synctest.Wait()
				if n := p.Stats().Stuck; n != 1 {
					t.Errorf("%d are stuck", n)
				}
				d.free()
				synctest.Wait()
				if n := p.Stats().Stuck; n != 0 {
					t.Errorf("%d are stuck though it has returned", n)
				}
			})
		})
	}
}

// Its stack is told, so that it can be found.
func TestEndlessTaskSaysWhereItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if runtime.NumGoroutine() > 900 {
			t.Skip("more goroutines than are looked at")
		}
		d := newDeafTask(t)
		p := newPool(t, mp.PoolConfig{Workers: 2})
		_, err := mp.Apply(t.Context(), p, d.f, 1, mp.Timeout(time.Second))
		var late *mp.TimeoutError
		if !errors.As(err, &late) || !strings.Contains(late.Stack, "deafTask") {
			t.Errorf("%v; %+v", err, late)
		}
	})
}

// The others go on: their worker's place is taken at once.
func TestEndlessTaskDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeafTask(t)
		var began, ready atomic.Int64
		p := newPool(t, mp.PoolConfig{Workers: 2, Events: func(e mp.PoolEvent) {
			switch e.Kind {
			case mp.WorkerDied:
				began.Store(e.Time.UnixNano())
			case mp.WorkerReady:
				ready.Store(e.Time.UnixNano())
			}
		}})
		var rs []*mp.Result[int]
		for i := range 10 {
			rs = append(rs, mp.ApplyAsync(t.Context(), p, d.f, i, mp.Timeout(time.Second)))
		}
		rs = append(rs, mp.ApplyAsync(t.Context(), p, double, 4))
		at := time.Now()
		mp.Wait(t.Context(), mp.AllDone, rs...)
		if took := time.Since(at); took != 5*(time.Second+10*time.Millisecond) {
			t.Errorf("all after %v", took)
		}
		for _, r := range rs[:10] {
			if _, err := r.Get(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		if v, err := rs[10].Get(t.Context()); v != 8 || err != nil {
			t.Error(v, err)
		}
		synctest.Wait()
		st := p.Stats()
		if st.Stuck != 10 || st.Restarts != 10 || st.Failed != 10 || st.Done != 1 || len(st.Workers) != 2 || st.Running != 0 {
			t.Errorf("%+v", st)
		}
		if began.Load() != ready.Load() {
			t.Errorf("the place was empty for %v", time.Duration(ready.Load()-began.Load()))
		}
		d.free()
		synctest.Wait()
		if n := p.Stats().Stuck; n != 0 {
			t.Errorf("%d are stuck", n)
		}
	})
}

// Ending a pool does not wait for a task that has its outcome.
func TestEndlessTaskDoesNotStopTheEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, p *mp.Pool) error{
		"Close and Join": func(t *testing.T, p *mp.Pool) error {
			p.Close()
			return p.Join(t.Context())
		},
		"Shutdown": func(t *testing.T, p *mp.Pool) error { return p.Shutdown(t.Context()) },
		"Terminate": func(t *testing.T, p *mp.Pool) error {
			p.Terminate()
			return p.Join(t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDeafTask(t)
				p := newPool(t, mp.PoolConfig{Workers: 2})
				began := time.Now()
				if _, err := mp.Apply(t.Context(), p, d.f, 1, mp.Timeout(time.Second)); err == nil {
					t.Error("no error")
				}
				if err := end(t, p); err != nil || time.Since(began) > 2*time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				if st := p.Stats(); st.Stuck != 1 || len(st.Workers) != 0 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// Terminate and a Shutdown whose ctx ends leave tasks that run alone.
func TestTerminateDoesNotWaitForTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeafTask(t)
		p := newPool(t, mp.PoolConfig{Workers: 2})
		r := mp.MapAsync(t.Context(), p, d.f, count(100))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Error(err)
		}
		if _, err := r.Get(t.Context()); !errors.Is(err, mp.ErrTerminated) {
			t.Error(err)
		}
		if st := p.Stats(); st.Stuck != 2 || d.begun.Load() != 2 || len(st.Workers) != 0 {
			t.Errorf("%+v, %d begun", st, d.begun.Load())
		}
	})
}

// What a task that was given up returns, or writes into its place, is nobody's any more.
func TestLateResultIsNeverSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 3})
		late := thread.Func(func(_ context.Context, n int) (int, error) {
			if n%5 == 3 {
				time.Sleep(3 * time.Second)
			}
			return n + 1, nil
		})
		for _, chunk := range []int{1, 7, 100} {
			var shown []int
			out, err := mp.Map(t.Context(), p, late, count(100), mp.Timeout(time.Second), mp.Chunk(chunk))
			shown = append(shown, out...)
			time.Sleep(10 * time.Second) // they return meanwhile
			var all *mp.MapError
			if !errors.As(err, &all) || len(all.Errs) != 20 {
				t.Fatalf("%v", err)
			}
			for i, v := range out {
				want := i + 1
				if i%5 == 3 {
					want = 0
				}
				if v != want || shown[i] != want {
					t.Errorf("place %d: %d, before %d", i, v, shown[i])
				}
			}
			if st := p.Stats(); st.Stuck != 0 {
				t.Errorf("%+v", st)
			}
		}
	})
}

// A retried task is another one to the attempt before it, which may still run.
func TestEndlessAttemptIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 1})
		f := thread.Func(func(ctx context.Context, n int) (int, error) {
			info, _ := mp.CurrentTask(ctx)
			if info.Attempt < 3 {
				time.Sleep(time.Hour)
			}
			return 10*n + info.Attempt, nil
		})
		v, err := mp.Apply(t.Context(), p, f, 1, mp.Timeout(time.Second), mp.Retries(2, mp.Backoff{}))
		if v != 13 || err != nil {
			t.Error(v, err)
		}
		synctest.Wait()
		if st := p.Stats(); st.Stuck != 2 || st.Retried != 2 || st.Done != 1 || st.Failed != 0 {
			t.Errorf("%+v", st)
		}
		time.Sleep(2 * time.Hour)
		if st := p.Stats(); st.Stuck != 0 || st.Done != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// A task that was given up may panic or end its goroutine, later.
func TestEndlessTaskEndsBadly(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(){"panic": func() { panic("late") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, mp.PoolConfig{Workers: 1})
				f := thread.Func(func(context.Context, int) (int, error) {
					time.Sleep(time.Hour)
					end()
					return 0, nil
				})
				if _, err := mp.Map(t.Context(), p, f, count(3), mp.Timeout(time.Second), mp.Chunk(3)); err == nil {
					t.Error("no error")
				}
				synctest.Wait()
				if st := p.Stats(); st.Stuck != 3 {
					t.Errorf("%+v", st)
				}
				time.Sleep(2 * time.Hour)
				if st := p.Stats(); st.Stuck != 0 {
					t.Errorf("%+v", st)
				}
				if v, err := mp.Apply(t.Context(), p, double, 2); v != 4 || err != nil {
					t.Error(v, err)
				}
			})
		})
	}
}

// A task that obeys is not stuck, and its worker lives on.
func TestTaskThatObeysKeepsItsWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, mp.PoolConfig{Workers: 1})
		obeys := thread.Func(func(ctx context.Context, n int) (int, error) {
			<-ctx.Done()
			return n, ctx.Err()
		})
		began := time.Now()
		_, err := mp.Apply(t.Context(), p, obeys, 1, mp.Timeout(time.Second))
		var late *mp.TimeoutError
		if !errors.As(err, &late) || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
		r := mp.ApplyAsync(t.Context(), p, obeys, 1)
		synctest.Wait()
		r.Cancel()
		if _, err := r.Get(t.Context()); !errors.Is(err, mp.ErrCancelled) {
			t.Error(err)
		}
		synctest.Wait()
		if st := p.Stats(); st.Stuck != 0 || st.Restarts != 0 || len(st.Workers) != 1 || st.Workers[0].State != mp.WorkerIdle {
			t.Errorf("%+v", st)
		}
	})
}
