package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// pause configures a time in which the program is stopped, which begins from after the bubble's begin. Fake
// workers go on meanwhile, so a task that takes too long has not used up its time.
func pause(from, length time.Duration) pool.Config {
	cfg := config(1)
	begin := time.Now().Add(from)
	end := begin.Add(length)
	cfg.Paused = func(since time.Time) time.Duration {
		now := time.Now()
		if now.After(end) {
			now = end
		}
		if since.Before(begin) {
			since = begin
		}
		return max(0, now.Sub(since))
	}
	return cfg
}

func TestTimeoutMovesByAPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		l := newLab(t, pause(time.Second, time.Hour))
		l.submit(1, each(func(int) act { return act{takes: time.Hour + 2*time.Second} }), timeout(3*time.Second)).succeeded()
		l.end()
		equal(t, "took", time.Since(start), time.Hour+2*time.Second)
	})
}

func TestTimeoutEndsAfterAPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		l := newLab(t, pause(time.Second, time.Hour))
		k := l.submit(1, each(func(int) act { return act{takes: 2 * time.Hour} }), timeout(3*time.Second)).wait()
		if _, late := k.err(0).(*errTimedOut); !late {
			t.Errorf("error %v", k.err(0))
		}
		equal(t, "killed", k.get(0).at.Sub(start), time.Hour+4*time.Second) // including a second of grace
		l.end()
	})
}

// The pause comes within the grace of a task that was late.
func TestGraceMovesByAPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		l := newLab(t, pause(1500*time.Millisecond, time.Hour))
		k := l.submit(1, each(func(int) act { return act{takes: 2 * time.Hour} }), timeout(time.Second)).wait()
		equal(t, "killed", k.get(0).at.Sub(start), time.Hour+2*time.Second)
		l.end()
	})
}

func TestGraceOfACancelledTaskMovesByAPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		l := newLab(t, pause(1500*time.Millisecond, time.Hour))
		k := l.submit(1, each(func(int) act { return act{takes: 2 * time.Hour} }))
		time.Sleep(time.Second)
		l.s.Cancel(&k.job, context.Canceled)
		k.wait()
		l.submit(1, trivial).succeeded() // by the worker that was started in place of the killed one
		equal(t, "replaced", time.Since(start), time.Hour+2*time.Second)
		l.end()
	})
}

func TestIdleTimeoutMovesByAPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := pause(time.Second, time.Hour)
		cfg.IdleTimeout = 2 * time.Second
		l := newLab(t, cfg)
		l.submit(1, trivial).succeeded()
		time.Sleep(time.Hour + 1900*time.Millisecond)
		equal(t, "workers", l.alive(), 1)
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		equal(t, "workers later", l.alive(), 0)
		l.end()
	})
}

// A worker that could not begin its task because it was stopped with the program is not killed.
func TestNoWorkerIsBlamedForAPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := newLab(t, pause(10*time.Millisecond, time.Hour))
		synctest.Wait()
		l.slowSend.Store(int64(time.Hour))
		l.submit(1, trivial, timeout(time.Second)).succeeded()
		equal(t, "restarts", l.s.Stats().Restarts, 0)
		l.end()
	})
}
