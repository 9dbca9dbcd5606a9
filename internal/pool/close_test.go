package pool_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

func TestCloseLetsTheRestBeDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(2))
		k := l.submit(10, func(_, attempt int) act { return act{takes: time.Second, dies: attempt == 1} }, func(j *pool.Job) { j.Retries = 1 })
		is(t, l.s.Join(context.Background()), pool.ErrOpen)
		l.s.Close()
		l.s.Close()
		is(t, l.s.Submit(context.Background(), &l.track(1, trivial).job), pool.ErrClosed)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		is(t, l.s.Join(ctx), context.DeadlineExceeded)
		is(t, l.s.Join(context.Background()), nil)
		equal(t, "done before Join", k.isDone(), true)
		k.succeeded()
		l.end()
	})
}

func TestTerminate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(3))
		ks := []*track{l.submit(50, lasting(1<<62))}
		synctest.Wait() // it has all workers
		ks = append(ks, l.submit(1, trivial), l.submit(0, trivial, func(j *pool.Job) { j.Lazy = true }))
		synctest.Wait()
		start := time.Now()
		l.s.Terminate()
		equal(t, "time", time.Since(start), 0)
		equal(t, "workers", l.alive(), 0)
		for _, k := range ks {
			equal(t, "done", k.isDone(), true)
			is(t, k.cause, pool.ErrTerminated)
		}
		is(t, l.s.Submit(context.Background(), &l.track(1, trivial).job), pool.ErrTerminated)
		l.s.Terminate()
		l.s.Close()
		l.end()
	})
}

func TestTerminateWhileWorkersStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.mu.Lock()
		l.onStart = func(int) (time.Duration, error) { return time.Hour, nil }
		l.mu.Unlock()
		is(t, l.s.Resize(4), nil)
		synctest.Wait()
		l.s.Terminate()
		l.end()
	})
}

func TestCloseDoesNotWaitForStartsThatNobodyNeeds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		l.mu.Lock()
		l.onStart = func(int) (time.Duration, error) { return time.Hour, nil }
		l.mu.Unlock()
		is(t, l.s.Resize(4), nil)
		l.submit(1, lasting(time.Second)).wait()
		start := time.Now()
		l.end()
		equal(t, "time", time.Since(start), 0)
	})
}

func TestCallbacksRunOneAfterAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		n, at := 0, 0
		for i := range 10 {
			l.s.Callback(func() {
				if n++; n > 1 || i != at {
					t.Error("out of turn")
				}
				at++
				time.Sleep(time.Second)
				n--
				switch i {
				case 3:
					panic("oh no")
				case 5:
					runtime.Goexit()
				}
			})
		}
		l.s.Close()
		err := l.s.Join(context.Background())
		equal(t, "callbacks", at, 10)
		if err == nil || !strings.Contains(err.Error(), "oh no") || !strings.Contains(err.Error(), "Goexit") {
			t.Errorf("Join: %v", err)
		}
	})
}

func TestPoolIsUsedFromCallbacks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(2)
		var l *lab
		var events atomic.Int32
		cfg.Events = func(pool.Event) {
			if events.Add(1) == 20 {
				l.s.Close()
				joinInCallback(t, l.s)
			}
		}
		l = newLab(t, cfg)
		k := l.submit(30, lasting(time.Second))
		l.s.Callback(func() {
			time.Sleep(8500 * time.Millisecond)
			joinInCallback(t, l.s)
			l.s.Cancel(&k.job, errFake)
			l.s.Close()
			l.s.Terminate()
			l.s.Terminate()
			joinInCallback(t, l.s)
		})
		is(t, k.wait().cause, errFake)
		l.s.Close()
		l.end()
	})
}

// joinInCallback calls Join where it waits for its caller: it ends with its ctx.
func joinInCallback(t *testing.T, s *pool.Scheduler) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
	defer cancel()
	if err := s.Join(ctx); err == nil {
		t.Error("Join has not waited for the callback that calls it")
	}
}

// Finished may add callbacks: Join waits for them whoever calls it.
func TestJoinWaitsForFinished(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		k := l.track(0, trivial)
		k.job.Lazy = true
		called := false
		k.before = func() {
			time.Sleep(time.Second)
			l.s.Callback(func() { time.Sleep(time.Second); called = true })
		}
		is(t, l.s.Submit(context.Background(), &k.job), nil)
		synctest.Wait()
		l.s.Close()
		go l.s.Cancel(&k.job, errFake)
		l.end()
		equal(t, "called", called, true)
	})
}

// order checks each task's and each worker's events.
func order(t testingT, events []pool.Event) {
	type task struct {
		f     string
		index int
	}
	tasks := make(map[task]pool.Event)
	workers := make(map[int]pool.EventKind)
	for i, ev := range events {
		if i > 0 && ev.Time.Before(events[i-1].Time) {
			t.Errorf("event %d is older than the one before", i)
		}
		if ev.Kind >= pool.WorkerStarted {
			before := workers[ev.Worker]
			ok := map[pool.EventKind]bool{
				pool.WorkerStarted:  before == 0 || before == pool.WorkerDied || before == pool.WorkerRecycled,
				pool.WorkerReady:    before == pool.WorkerStarted,
				pool.WorkerDied:     before == pool.WorkerReady || before == pool.WorkerStarted,
				pool.WorkerRecycled: before == pool.WorkerReady || before == pool.WorkerStarted,
			}[ev.Kind]
			if !ok {
				t.Errorf("worker %d: %d after %d", ev.Worker, ev.Kind, before)
			}
			workers[ev.Worker] = ev.Kind
			continue
		}
		last := tasks[task{ev.Func, ev.Index}]
		before, attempt := last.Kind, last.Attempt
		ok := map[pool.EventKind]bool{
			pool.TaskQueued:  before == 0 && ev.Attempt == 1,
			pool.TaskStarted: before == pool.TaskQueued && ev.Attempt == 1 || before == pool.TaskRetried && ev.Attempt == attempt+1,
			pool.TaskDone:    before == pool.TaskStarted && ev.Attempt == attempt,
			pool.TaskRetried: before == pool.TaskStarted && ev.Attempt == attempt,
			pool.TaskFailed:  before != 0 && before != pool.TaskDone && before != pool.TaskFailed,
		}[ev.Kind]
		if !ok {
			t.Errorf("task %d: %d after %d, attempt %d after %d", ev.Index, ev.Kind, before, ev.Attempt, attempt)
		}
		tasks[task{ev.Func, ev.Index}] = ev
	}
	for at, ev := range tasks {
		if ev.Kind != pool.TaskDone && ev.Kind != pool.TaskFailed {
			t.Errorf("task %v ends with %d", at, ev.Kind)
		}
	}
	for n, kind := range workers {
		if kind != pool.WorkerDied && kind != pool.WorkerRecycled {
			t.Errorf("worker %d ends with %d", n, kind)
		}
	}
}

func TestEventsAreInOrder(t *testing.T) {
	script := func(i, attempt int) act {
		a := act{takes: time.Duration(i%7) * 30 * time.Microsecond, obeys: true}
		switch {
		case i == 1500:
			a.takes = time.Second
		case i%100 == 7 && attempt < 3:
			a.dies = true
		case i%10 == 3:
			a.err = errFake
		}
		return a
	}
	for _, end := range []string{"close", "cancel", "terminate", "fail fast"} {
		t.Run(end, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg := config(3)
				var l *lab
				var events []pool.Event
				cfg.Events = func(ev pool.Event) { events = append(events, ev) }
				l = newLab(t, cfg)
				k := l.submit(2000, script, func(j *pool.Job) {
					j.Retries = 2
					j.FailFast = end == "fail fast"
					j.Backoff = pool.Backoff{Min: time.Millisecond, Max: time.Millisecond, Factor: 1}
				})
				time.Sleep(20 * time.Millisecond)
				switch end {
				case "cancel":
					l.s.Cancel(&k.job, errFake)
				case "terminate":
					l.s.Terminate()
				}
				k.wait()
				l.end()
				order(t, events)
			})
		})
	}
}

func TestBlockedEventsHoldTheTasks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := config(4)
		block := make(chan struct{})
		told := 0
		var l *lab
		cfg.Events = func(ev pool.Event) {
			if ev.Kind == pool.TaskStarted {
				if told++; told == 1 {
					<-block
				}
			}
			if told%1000 == 999 {
				runtime.Goexit()
			}
		}
		l = newLab(t, cfg)
		k := l.submit(20000, trivial)
		time.Sleep(time.Minute)
		n := len(l.seen())
		if n < 1000 || 2*n > 4096+8 {
			t.Errorf("%d tasks were begun", n)
		}
		time.Sleep(time.Minute)
		equal(t, "begun while the callback is blocked", len(l.seen()), n)
		close(block)
		k.succeeded()
		l.s.Close()
		if err := l.s.Join(context.Background()); err == nil {
			t.Error("Join does not tell of Goexit")
		}
		equal(t, "started", told, 20000)
	})
}

// Code of the program's that an outcome runs into holds up nothing but its own call.
func TestDeliverThatDoesNotReturn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		stuck := l.track(1, trivial)
		stuck.slow, stuck.job.RunsUserCode = time.Hour, true
		if err := l.s.SubmitNow(&stuck.job); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		l.submit(5, trivial).succeeded()
		died := l.submit(1, func(int, int) act { return act{dies: true} }).wait()
		is(t, died.err(0), errDied)
		equal(t, "the others took", time.Since(start), 0)
		l.s.Terminate()
		equal(t, "Terminate took", time.Since(start), 50*time.Millisecond)
		equal(t, "the call has ended", stuck.isDone(), false)
		time.Sleep(time.Hour)
		equal(t, "the call has ended", stuck.isDone(), true)
	})
}

// Many such outcomes make the worker's reader wait, but not for longer than it lives.
func TestManyDeliversThatDoNotReturn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, config(1))
		for range 20 {
			stuck := l.track(1, trivial)
			stuck.slow, stuck.job.RunsUserCode = time.Hour, true
			if err := l.s.SubmitNow(&stuck.job); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		f := l.worker(0)
		f.Kill()
		synctest.Wait()
		equal(t, "restarts", l.s.Stats().Restarts, 0) // its reader waits
		f.sink.Dead()
		synctest.Wait()
		equal(t, "restarts", l.s.Stats().Restarts, 1)
		l.submit(1, trivial).succeeded()
		l.s.Terminate()
		time.Sleep(2 * time.Hour)
	})
}

// What starts need is released once: when no more workers will be started, and before Join returns.
func TestRelease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var released atomic.Int64
		cfg := config(2)
		cfg.Release = func() { released.Add(1) }
		l := newLab(t, cfg)
		k := l.submit(10, func(_, attempt int) act { return act{takes: time.Second, dies: attempt == 1} }, func(j *pool.Job) { j.Retries = 1 })
		l.s.Close()
		time.Sleep(2500 * time.Millisecond) // workers died, and others are started for the rest
		equal(t, "released while there is work", released.Load(), 0)
		is(t, l.s.Join(context.Background()), nil)
		equal(t, "released", released.Load(), 1)
		k.succeeded()
		l.s.Terminate()
		l.end()
		equal(t, "released at the end", released.Load(), 1)
	})
}

// A pool that could not be made, or is broken, releases it too; one of which a start is under way does not.
func TestReleaseWithoutWorkers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var released atomic.Int64
		cfg := config(2)
		cfg.Release = func() { released.Add(1) }
		_, err := tryLab(t, cfg, func(l *lab) { l.onStart = func(int) (time.Duration, error) { return 0, errStart } })
		is(t, err, errStart)
		equal(t, "released after New", released.Load(), 1)

		l := newLab(t, cfg)
		l.mu.Lock()
		l.onStart = func(int) (time.Duration, error) { return time.Second, errStart }
		l.mu.Unlock()
		k := l.submit(2, func(int, int) act { return act{dies: true} }, func(j *pool.Job) { j.Retries = 9 })
		time.Sleep(time.Second / 2)
		equal(t, "released while workers are started", released.Load(), 1)
		k.wait()
		is(t, k.cause, pool.ErrBroken)
		synctest.Wait()
		equal(t, "released of the broken", released.Load(), 2)
		l.end()
		equal(t, "released at the end", released.Load(), 2)
	})
}

// A file that cannot be closed keeps Join until its ctx ends, and Terminate for a second.
func TestReleaseThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hangs := make(chan struct{})
		cfg := config(2)
		cfg.Release = func() { <-hangs }
		l := newLab(t, cfg)
		l.s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		is(t, l.s.Join(ctx), context.DeadlineExceeded)
		start := time.Now()
		l.s.Terminate()
		if took := time.Since(start); took < time.Second || took > 2*time.Second {
			t.Error("Terminate took", took)
		}
		equal(t, "workers", l.alive(), 0)
		close(hangs)
		l.end()
	})
}
