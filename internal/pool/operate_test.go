package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// Drain cancels waiting tasks, whether they were never sent, were sent ahead, or wait for their
// back-off. Running tasks finish and are not retried.
func TestDrain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(2)
		l := newLab(t, cfg)
		l.submit(50, lasting(time.Millisecond)).wait() // the cost is known, so that tasks are sent ahead
		begun := len(l.seen())
		k := l.submit(100, lasting(time.Millisecond))
		retry := l.submit(1, func(int, int) act { return act{err: errFake} }, func(j *pool.Job) {
			j.Retries, j.Priority = 5, 1
			j.Backoff = pool.Backoff{Min: time.Hour, Max: time.Hour, Factor: 1}
		})
		time.Sleep(500 * time.Microsecond)
		synctest.Wait()
		l.s.Drain()
		k.wait()
		retry.wait()
		is(t, retry.err(0), pool.ErrCancelled)
		ran := 0
		for i := range 100 {
			if err := k.err(i); err == nil {
				ran++
			} else if !errors.Is(err, pool.ErrCancelled) || k.get(i).attempts != 0 {
				t.Errorf("task %d: %+v", i, k.get(i))
			}
		}
		if ran == 0 || ran > 2 || len(l.seen())-begun > 4 {
			t.Errorf("%d tasks were done, %d begun", ran, len(l.seen())-begun)
		}
		is(t, l.s.Submit(context.Background(), &l.track(1, trivial).job), pool.ErrClosed)
		if st := l.s.Stats(); st.Done+st.Failed != 151 {
			t.Errorf("%+v", st)
		}
		l.end()
	})
}

// A task that runs while the pool is drained, and fails, is not retried.
func TestDrainEndsRetries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.submit(1, func(int, int) act { return act{takes: time.Second, err: errFake} }, func(j *pool.Job) { j.Retries = 3 })
		time.Sleep(time.Millisecond)
		l.s.Drain()
		k.wait()
		is(t, k.err(0), errFake)
		equal(t, "attempts", k.get(0).attempts, 1)
		l.end()
	})
}

// A lazy job ends when its running tasks have ended. No more of its tasks are taken.
func TestDrainOfALazyJob(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.submit(0, lasting(time.Second), func(j *pool.Job) { j.Lazy = true })
		idle := l.submit(0, trivial, func(j *pool.Job) { j.Lazy = true })
		l.s.Extend(&k.job, 3)
		time.Sleep(time.Millisecond)
		l.s.Drain()
		idle.wait()
		is(t, idle.cause, pool.ErrCancelled)
		l.s.Extend(&k.job, 2)
		k.wait()
		is(t, k.cause, pool.ErrCancelled)
		is(t, k.err(0), nil)
		equal(t, "outcomes", len(k.outcomes), 1)
		l.s.Drain()
		l.end()
	})
}

// Each worker is replaced when it is free, and never more workers run tasks than the pool has.
func TestRecycle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var e ends
		cfg := config(3)
		cfg.Events = e.note
		l := newLab(t, cfg)
		before := map[*fake]bool{}
		for i := range 3 {
			before[l.worker(i)] = true
		}
		long := l.submit(1, lasting(time.Minute))
		time.Sleep(time.Millisecond)
		start := time.Now()
		done := make(chan error)
		go func() { done <- l.s.Recycle(context.Background()) }()
		time.Sleep(time.Second)
		synctest.Wait()
		equal(t, "replaced", len(e.all), 2)
		equal(t, "workers", l.alive(), 3)
		l.submit(20, lasting(10*time.Millisecond)).succeeded()
		is(t, <-done, nil)
		equal(t, "waited", time.Since(start), time.Minute-time.Millisecond)
		long.succeeded()
		for i := range 3 {
			if before[l.worker(i)] {
				t.Error("an old worker lives")
			}
		}
		synctest.Wait() // for the last event
		for _, ev := range e.all {
			is(t, ev.Err, pool.ErrRecycled)
			equal(t, "kind", ev.Kind, pool.WorkerRecycled)
		}
		equal(t, "restarts", l.s.Stats().Restarts, 0)
		l.end()
	})
}

// Recycle ends with its ctx, and with the pool. The replacements that it has begun go on.
func TestRecycleThatIsLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var e ends
		cfg := config(1)
		cfg.Events = e.note
		l := newLab(t, cfg)
		l.submit(1, lasting(time.Minute))
		time.Sleep(time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		is(t, l.s.Recycle(ctx), context.DeadlineExceeded)
		is(t, l.s.Recycle(ctx), context.DeadlineExceeded)
		time.Sleep(2 * time.Minute)
		e.one(t, pool.WorkerRecycled, pool.ErrRecycled)
		for _, end := range []struct {
			act func()
			err error
		}{{l.s.Close, pool.ErrClosed}, {l.s.Terminate, pool.ErrTerminated}} {
			if end.err == pool.ErrClosed {
				l.submit(1, lasting(time.Minute))
				time.Sleep(time.Millisecond)
			}
			done := make(chan error)
			go func() { done <- l.s.Recycle(context.Background()) }()
			time.Sleep(time.Millisecond)
			if end.err == pool.ErrClosed {
				end.act()
				is(t, <-done, end.err)
				continue
			}
			is(t, <-done, pool.ErrClosed)
		}
		l.end()
	})
}

// While all workers are replaced, workers die, start late and are too many.
func TestRecycleMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(3), func(l *lab) {
			l.onStart = func(start int) (time.Duration, error) {
				if start > 3 && start%2 == 0 {
					return time.Second, errStart
				}
				return time.Second, nil
			}
		})
		busy := l.submit(1, lasting(10*time.Second))
		time.Sleep(time.Millisecond)
		done := make(chan error, 2)
		go func() { done <- l.s.Recycle(context.Background()) }()
		time.Sleep(100 * time.Millisecond)
		go func() { done <- l.s.Recycle(context.Background()) }() // workers that are starting now count as old
		time.Sleep(3 * time.Second)
		l.worker(0).Kill()
		if err := l.s.Resize(2); err != nil {
			t.Fatal(err)
		}
		is(t, <-done, nil)
		is(t, <-done, nil)
		busy.wait()
		time.Sleep(time.Minute)
		equal(t, "workers", l.alive(), 2)
		l.end()
	})
}

// submitEach submits a pinned job of one task for each worker.
func (l *lab) submitEach(s script) map[int]*track {
	l.t.Helper()
	tracks, jobs := map[int]*track{}, map[int]*pool.Job{}
	for {
		missing, err := l.s.SubmitEach(jobs)
		if err != nil {
			l.t.Fatalf("SubmitEach: %v", err)
		}
		if len(missing) == 0 {
			return tracks
		}
		for _, n := range missing {
			tracks[n] = l.track(1, s)
			jobs[n] = &tracks[n].job
		}
	}
}

// A pinned task runs in its worker as soon as that is free, before other waiting tasks.
func TestPinned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(4))
		l.submit(40, lasting(100*time.Microsecond)).wait()
		long := l.submit(1, lasting(time.Second))
		time.Sleep(time.Millisecond)
		rest := l.submit(50000, lasting(100*time.Microsecond))
		time.Sleep(time.Millisecond)
		ks := l.submitEach(trivial)
		equal(t, "jobs", len(ks), 4)
		for n, k := range ks {
			k.succeeded()
			equal(t, "worker", k.get(0).pid, 1000+n)
			equal(t, "begins", len(l.beginsOf(k)), 1)
		}
		if rest.isDone() || !long.isDone() {
			t.Error("they were not run in time")
		}
		rest.succeeded()
		l.end()
	})
}

// When a worker ends before it has begun its pinned task, the task gets an error, and no other worker runs it.
func TestPinnedToOneThatEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(3))
		l.submit(3, lasting(time.Minute))
		time.Sleep(time.Millisecond)
		ks := l.submitEach(each(func(int) act { return act{takes: time.Second} }))
		first := l.worker(0)
		first.Kill()
		time.Sleep(time.Second)
		k := ks[first.n]
		if !k.isDone() || !errors.Is(k.err(0), errDied) || len(l.beginsOf(k)) != 0 {
			t.Errorf("%v", k.err(0))
		}
		is(t, l.s.Resize(1), nil) // a worker runs the tasks that are pinned to it before it ends
		for n, k := range ks {
			if n != first.n {
				k.succeeded()
			}
		}
		stopped := l.submitEach(trivial)
		l.worker(0).stop()
		time.Sleep(time.Second)
		for _, k := range stopped {
			l.s.Cancel(&k.job, pool.ErrCancelled)
			k.wait()
		}
		l.worker(0).cont()
		l.submit(3, trivial).succeeded()
		l.end()
	})
}

// A worker that is being started gets its pinned task when it is ready. If it does not start, the task's error says why.
func TestPinnedToOneThatStarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2), func(l *lab) {
			l.onStart = func(start int) (time.Duration, error) {
				if start == 3 {
					return time.Second, errStart
				}
				return time.Second, nil
			}
		})
		first := l.worker(0)
		first.Kill()
		time.Sleep(100 * time.Millisecond) // the back-off of its start
		ks := l.submitEach(trivial)
		equal(t, "jobs", len(ks), 2)
		ks[first.n].wait()
		is(t, ks[first.n].err(0), errStart)
		ks[3-first.n].succeeded()
		time.Sleep(100 * time.Millisecond)
		ks = l.submitEach(trivial)
		equal(t, "jobs", len(ks), 2)
		ks[1].succeeded()
		ks[2].succeeded()
		l.end()
	})
}

// Pinned jobs end with the pool.
func TestPinnedAndTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end func(s *pool.Scheduler)
		err error
	}{
		"terminate": {(*pool.Scheduler).Terminate, pool.ErrTerminated},
		"drain":     {(*pool.Scheduler).Drain, pool.ErrCancelled},
		"close":     {(*pool.Scheduler).Close, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				l := newLab(t, config(2))
				l.submit(2, lasting(time.Second))
				time.Sleep(time.Millisecond)
				ks := l.submitEach(trivial)
				c.end(l.s)
				for _, k := range ks {
					k.wait()
					if c.err == pool.ErrTerminated {
						is(t, k.cause, c.err)
					} else {
						is(t, k.err(0), c.err)
					}
				}
				if _, err := l.s.SubmitEach(nil); err == nil {
					t.Error("it was taken")
				}
				l.end()
			})
		})
	}
}

// A job that must not wait is refused if more than MaxQueued tasks would wait, but not while a worker is free.
func TestNoWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(2)
		cfg.MaxQueued = 3
		l := newLab(t, cfg)
		submit := func(n int) error {
			k := l.track(n, lasting(time.Second))
			k.job.NoWait = true
			return l.s.Submit(context.Background(), &k.job)
		}
		is(t, submit(6), pool.ErrFull)
		for range 5 { // two run and three wait; the scheduler has not looked yet
			is(t, submit(1), nil)
		}
		is(t, submit(1), pool.ErrFull)
		time.Sleep(time.Millisecond)
		is(t, submit(1), pool.ErrFull)
		time.Sleep(time.Second)
		is(t, submit(3), pool.ErrFull)
		is(t, submit(2), nil)
		l.end()
	})
}
