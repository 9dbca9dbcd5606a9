package pool

import "time"

// A worker reports outcomes lazily: several at once, and some time after it has committed
// them. A worker that is stopped in between, by a signal, a debugger or a freezer, reports nothing.
// So the scheduler collects what busy workers have committed from time to time, and before it
// decides that a task still runs.

const (
	// collectEvery is how often outcomes are collected from busy workers.
	collectEvery = 20 * time.Millisecond
	// collectWait is how long a decision may wait for outcomes to be collected.
	collectWait = 50 * time.Millisecond
)

// watchCollector sets the timer of collectAll, if m needs it.
func (s *Scheduler) watchCollector(m *member) {
	if m.collector == nil || s.collectTimerSet {
		return
	}
	s.collectTimerSet = true
	if s.collectTimer == nil {
		s.collectTimer = time.AfterFunc(collectEvery, s.collectAll)
		return
	}
	s.collectTimer.Reset(collectEvery)
}

// collectAll collects what all workers have committed.
func (s *Scheduler) collectAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collectTimerSet = false
	for _, m := range s.members {
		if m.collector == nil || m.dead || len(m.batches) == 0 {
			continue
		}
		m.collector.Collect(0)
		m.w.Running() // has the worker note since when its item runs
		s.watchCollector(m)
	}
}

// collect has the worker report everything that it has committed. It is called without the lock.
func (m *member) collect() {
	if m.collector != nil {
		m.collector.Collect(collectWait)
	}
}
