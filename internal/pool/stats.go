package pool

import "time"

// Stats is what a pool is doing and has done.
type Stats struct {
	Workers                                                 []WorkerStats
	Queued, Running, Done, Failed, Retried, Restarts, Stuck int
}

// WorkerState says what a worker is doing.
type WorkerState int

// The states of a worker.
const (
	Idle WorkerState = iota + 1
	Busy
	Stopping // its task was asked to stop and has not yet
	Leaving  // gets no more tasks
)

// WorkerStats is one worker's part in Stats.
type WorkerStats struct {
	PID    int
	State  WorkerState
	Tasks  int           // done
	Busy   time.Duration // since when the task that it runs runs; 0: none does
	Memory int64         // bytes
}

// Stats looks at the pool as it is now. It asks for each worker's memory.
func (s *Scheduler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Done: s.counts.done, Failed: s.counts.failed, Retried: s.counts.retried, Restarts: s.counts.restarts,
	}
	if s.cfg.Stuck != nil {
		st.Stuck = s.cfg.Stuck()
	}
	for _, m := range s.members {
		ws := WorkerStats{PID: m.pd, Tasks: m.tasks, Memory: m.w.Memory(), State: Idle}
		if m.outstanding > 0 {
			ws.State = Busy
			st.Running++
		}
		if _, _, since, ok := m.w.Running(); ok && !since.IsZero() {
			ws.Busy = time.Since(since)
		}
		switch {
		case m.stop != nil:
			ws.State = Stopping
			st.Stuck++
		case m.retiring || m.closing || m.killed:
			ws.State = Leaving
		}
		if m.loan == nil { // else it is in the place of another
			st.Workers = append(st.Workers, ws)
		}
	}
	st.Queued = s.queued()
	return st
}
