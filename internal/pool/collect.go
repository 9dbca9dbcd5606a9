package pool

import "time"

// A worker tells its parent of outcomes lazily: several at once, and after it has committed
// them. One that is stopped in between, by a signal, a debugger or a freezer, tells nothing.
// So somebody looks at what busy workers have committed from time to time, and before it is
// said of a task that it still runs.

const (
	// roundEvery is how often workers that have something to do are looked at.
	collectEvery = 20 * time.Millisecond
	// collectWait is how long a decision may wait for outcomes to be collected.
	collectWait = 50 * time.Millisecond
)

// goRound starts the looks at busy workers, if m needs them.
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

// roundNow collects what workers have committed.
func (s *Scheduler) collectAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collectTimerSet = false
	for _, m := range s.members {
		if m.collector == nil || m.dead || len(m.batches) == 0 {
			continue
		}
		m.collector.Collect(0)
		m.w.Running() // notes when it was first seen, at the latest, that an item runs
		s.watchCollector(m)
	}
}

// collect has everything reported that the worker has committed. It is called without the lock.
func (m *member) collect() {
	if m.collector != nil {
		m.collector.Collect(collectWait)
	}
}
