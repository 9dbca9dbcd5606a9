package pool_test

import (
	"context"
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
		synctest.Wait() // until it has all workers
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

// Release is called once: when no more workers will be started, and before Join returns.
func TestRelease(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var released atomic.Int64
		cfg := config(2)
		cfg.Release = func() { released.Add(1) }
		l := newLab(t, cfg)
		k := l.submit(10, func(_, attempt int) act { return act{takes: time.Second, dies: attempt == 1} }, func(j *pool.Job) { j.Retries = 1 })
		l.s.Close()
		time.Sleep(2500 * time.Millisecond) // workers died, and others are started for the remaining tasks
		equal(t, "released while there is work", released.Load(), 0)
		is(t, l.s.Join(context.Background()), nil)
		equal(t, "released", released.Load(), 1)
		k.succeeded()
		l.s.Terminate()
		l.end()
		equal(t, "released at the end", released.Load(), 1)
	})
}

// A pool that could not be made, or is broken, calls Release too, but not during a start.
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

// A Release that hangs delays Join until its ctx ends, and Terminate for a second.
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
