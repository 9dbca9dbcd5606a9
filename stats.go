package mp

import (
	"slices"
	"time"
)

// Stats describes what a pool is doing, and counts what it has done since it was made.
type Stats struct {
	Workers  []WorkerStats // by their numbers
	Queued   int           // tasks that wait
	Running  int           // tasks that run
	Done     int           // tasks with a value
	Failed   int           // tasks with an error, cancelled ones included
	Retried  int           // attempts that failed and were followed by another
	Restarts int           // workers that died
	Stuck    int           // tasks that were asked to stop and run on: within their grace, on goroutines also after it
}

// WorkerStats is one worker's part of Stats.
type WorkerStats struct {
	Worker  int    // its number, from 1; the successor of one that has ended may have the same
	Node    string // the machine that it is on; "": this one
	PID     int
	State   WorkerState
	Tasks   int           // done
	Memory  int64         // anonymous memory in bytes; 0: not known
	Busy    time.Duration // how long its task has been running; 0: none does
	Since   time.Time     // when that was begun; zero: none runs, and what follows says nothing
	Func    string        // that it calls
	Index   int           // of the input in its call, from 0
	Attempt int           // from 1
	ID      uint64        // of the task, as in PoolEvent; 0: none
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
func (s WorkerState) String() string { return workerStates.of(int(s), 1) }

var workerStates = enumNames{"idle", "busy", "stopping", "leaving"}

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
			Worker: w.Number, PID: w.PID, State: WorkerState(w.State), Tasks: w.Tasks, Memory: w.Memory,
			Busy: w.Busy, Since: w.Since, Func: w.Func, Index: w.Index, Attempt: w.Attempt, ID: w.ID,
		})
	}
	slices.SortFunc(st.Workers, func(a, b WorkerStats) int { return a.Worker - b.Worker })
	return st
}

// MarshalText is String. It never fails.
func (s WorkerState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes what MarshalText returns. Anything else is an error that names it.
func (s *WorkerState) UnmarshalText(text []byte) error {
	return unmarshalName(s, "WorkerState", workerStates, 1, text)
}
