package goroutine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/task"
)

// Program is what this package knows of the program.
type Program interface {
	task.Program
	// Panicked is the error of a call that panicked, Exited of one that called
	// runtime.Goexit, TimedOut of one that returned an error when its time was over.
	Panicked(v any, stack string) error
	Exited() error
	TimedOut(after time.Duration) error
	// Final says that a task with this error is not to be tried again.
	Final(err error) bool
}

// Crew is what the workers of a pool have in common.
type Crew struct {
	program Program
	init    func(ctx context.Context) error
	// Exit is run in each worker that is asked to end, within the grace; nil: nothing is.
	Exit      func(ctx context.Context) error
	ExitGrace time.Duration
	clock     clock
	timeout   time.Duration // of a start
	pid       int
	stuck     atomic.Int64
}

// NewCrew makes the workers of a pool possible. init is run in each before its first task,
// within the timeout; nil: nothing is. pid is this process's.
func NewCrew(p Program, init func(ctx context.Context) error, timeout time.Duration, pid int) *Crew {
	return &Crew{program: p, init: init, clock: clock{time.Now()}, timeout: timeout, pid: pid}
}

// Stuck is how many goroutines run a task that has its outcome already.
func (c *Crew) Stuck() int { return int(c.stuck.Load()) }

// clock tells deadlines on the monotonic clock, from when the crew was made, less a second:
// 0 is no time.
type clock struct{ base time.Time }

func (c *clock) Now() int64              { return int64(time.Since(c.base) + time.Second) }
func (c *clock) Time(ns int64) time.Time { return c.base.Add(time.Duration(ns) - time.Second) }

// Paused implements task.Clock.
func (c *clock) Paused(ns int64) time.Duration { return shm.Paused(c.Time(ns)) }

// of is a deadline on the clock; 0: none.
func (c *clock) of(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(1, int64(t.Sub(c.base)+time.Second))
}

// attempt is what the ctxs of a span's calls have in common.
func (w *worker) attempt(sp *pool.Span) *task.Common {
	j := sp.Job
	return &task.Common{
		Program: w.crew.program, Clock: &w.crew.clock, Func: j.Func, Worker: w.n,
		Attempt: sp.Attempt, Deadline: w.crew.clock.of(j.Deadline), Timeout: j.Timeout, Place: w, Propagated: j.Propagated,
	}
}
