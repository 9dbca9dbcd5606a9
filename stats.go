package mp

import (
	"fmt"
	"time"

	"github.com/gomultiprocessing/mp/internal/pool"
)

// Stats is what a pool is doing, and has done since it was made.
type Stats struct {
	Workers  []WorkerStats
	Queued   int // tasks that wait
	Running  int // tasks that run
	Done     int // tasks with a value
	Failed   int // tasks with an error, cancelled ones included
	Retried  int // attempts that failed and were followed by another
	Restarts int // workers that died
	Stuck    int // tasks that were asked to stop and run on: within their grace, on goroutines also after it
}

// WorkerStats is one worker's part of Stats.
type WorkerStats struct {
	PID    int
	State  WorkerState
	Tasks  int           // done
	Busy   time.Duration // how long its task has been running; 0: none does
	Memory int64         // anonymous memory in bytes; 0: not known
}

// WorkerState says what a worker is doing.
type WorkerState int

// The states of a worker.
const (
	WorkerIdle     WorkerState = iota + 1
	WorkerBusy                 // has tasks
	WorkerStopping             // its task was asked to stop and has not yet
	WorkerLeaving              // gets no more tasks
)

// String is the state's name.
func (s WorkerState) String() string {
	return name(int(s), "idle", "busy", "stopping", "leaving")
}

// Stats looks at the pool as it is now. It reads each worker's memory, some
// microseconds a worker.
func (p *Pool) Stats() Stats {
	if p.refusal() != nil {
		return Stats{}
	}
	from := p.s.Stats()
	st := Stats{
		Queued: from.Queued, Running: from.Running, Done: from.Done, Failed: from.Failed,
		Retried: from.Retried, Restarts: from.Restarts, Stuck: from.Stuck,
	}
	for _, w := range from.Workers {
		st.Workers = append(st.Workers, WorkerStats{
			PID: w.PID, State: WorkerState(w.State), Tasks: w.Tasks, Busy: w.Busy, Memory: w.Memory,
		})
	}
	return st
}

// PoolEvent is something that happened in a pool: see PoolConfig.Events. What is
// not about a task has Index -1 and no Func.
type PoolEvent struct {
	Kind        EventKind
	Time        time.Time
	Worker, PID int // 0: none, or not yet
	Func        string
	Index       int
	Attempt     int
	Err         error // of TaskFailed, TaskRetried and WorkerDied
}

// EventKind says what happened.
type EventKind int

// The kinds of events. Each task has one TaskQueued, a TaskStarted for each
// attempt, a TaskRetried for each attempt that another follows, and at last one
// TaskDone or TaskFailed.
const (
	TaskQueued EventKind = iota + 1
	TaskStarted
	TaskDone
	TaskFailed
	TaskRetried
	WorkerStarted  // is being started
	WorkerReady    // Init is done
	WorkerDied     // or could not be started
	WorkerRecycled // ended as the pool wanted
)

// String is the kind's name.
func (k EventKind) String() string {
	return name(int(k), "task queued", "task started", "task done", "task failed", "task retried",
		"worker started", "worker ready", "worker died", "worker recycled")
}

// name is the i-th of names, from 1.
func name(i int, names ...string) string {
	if i < 1 || i > len(names) {
		return fmt.Sprintf("unknown (%d)", i)
	}
	return names[i-1]
}

// events is cfg.Events as the scheduler calls it.
func (c *PoolConfig) events() func(pool.Event) {
	if c.Events == nil {
		return nil
	}
	tell := c.Events
	return func(e pool.Event) {
		tell(PoolEvent{
			Kind: EventKind(e.Kind), Time: e.Time, Worker: e.Worker, PID: e.PID,
			Func: e.Func, Index: e.Index, Attempt: e.Attempt, Err: e.Err,
		})
	}
}
