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
	Number  int
	PID     int
	State   WorkerState
	Tasks   int           // done
	Memory  int64         // bytes
	Running bool          // a task runs:
	Busy    time.Duration // for so long,
	Since   time.Time     // since then,
	Func    string        // it calls this,
	Index   int           // with this input of its call,
	Attempt int           // for this time,
	ID      uint64        // and this is its number
}

// State returns a word that says whether the pool takes jobs.
func (s *Scheduler) State() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.terminated:
		return "terminated"
	case s.broken != nil:
		return "broken"
	case s.closed:
		return "closed"
	}
	return "open"
}

// Stats returns what the pool is doing now. It asks for each worker's memory.
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
		ws := WorkerStats{Number: m.n, PID: m.pid, Tasks: m.tasks, Memory: m.w.Memory(), State: Idle}
		if m.outstanding > 0 {
			ws.State = Busy
			st.Running++
		}
		ws.runs(m)
		switch {
		case m.stop != nil:
			ws.State = Stopping
			st.Stuck++
		case m.retiring || m.closing || m.killed:
			ws.State = Leaving
		}
		if m.compensates == nil { // otherwise it is in the place of another worker
			st.Workers = append(st.Workers, ws)
		}
	}
	st.Queued = s.queued()
	return st
}

// runs fills in what a worker runs now.
func (ws *WorkerStats) runs(m *member) {
	b, item, since, ok := m.w.Running()
	if !ok || since.IsZero() {
		return
	}
	ws.Busy = time.Since(since)
	if sp, at := b.At(item); sp != nil && b.done <= item {
		j := sp.Job
		ws.Running, ws.Since = true, since
		ws.Func, ws.Index, ws.Attempt, ws.ID = j.Func, sp.First+at, sp.Attempt, j.taskID(sp.First+at)
	}
}
