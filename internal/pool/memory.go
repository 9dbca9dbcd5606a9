package pool

import "time"

// memoryEvery is how often the workers' memory is measured while tasks run.
const memoryEvery = 20 * time.Millisecond

// watchMemory sets the timer of checkMemory.
func (s *Scheduler) watchMemory() {
	if s.cfg.MaxMemory <= 0 || s.memoryTimerSet {
		return
	}
	s.memoryTimerSet = true
	if s.memoryTimer == nil {
		s.memoryTimer = time.AfterFunc(memoryEvery, s.checkMemory)
		return
	}
	s.memoryTimer.Reset(memoryEvery)
}

// checkMemory kills the tasks whose worker has passed the limit. A worker that
// holds most of the limit between two tasks is replaced: the next task must not be
// blamed for what the last one left.
func (s *Scheduler) checkMemory() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memoryTimerSet = false
	for _, m := range s.members {
		if m.dead || m.killed {
			continue
		}
		switch s.measureMemory(m); {
		case m.outstanding == 0 && s.bloated(m):
			s.retire(m, errBloated)
		case m.outstanding > 0 && m.memory > s.cfg.MaxMemory && m.caps.Kills:
			s.overMemory(m)
		}
	}
	if s.running() > 0 {
		s.watchMemory()
	}
}

// measureMemory asks for a worker's memory.
func (s *Scheduler) measureMemory(m *member) { m.memory, m.memoryAt = m.w.Memory(), time.Now() }

// overMemory ends a worker that has passed the limit, and blames the task to which that is due.
func (s *Scheduler) overMemory(m *member) {
	b, item, _, ok := m.w.Running()
	if ok && b.done <= item {
		s.revokeAll(m)
		s.condemn(m, &stopping{batch: b, item: item, err: s.cfg.OverMemory(m.memory, s.cfg.MaxMemory)})
		return
	}
	if b = m.sending; b == nil || b.items > 1 || b.done >= b.limit || s.elapsed(m.sendSince) < longRead {
		s.revokeAll(m)
		s.retire(m, errBloated) // between two tasks: the next must not be blamed
		return
	}
	// It is reading an input. If it has done nothing else, that is what takes the memory.
	if m.tasks == 0 {
		s.condemn(m, &stopping{batch: b, unread: true, err: s.cfg.OverMemory(m.memory, s.cfg.MaxMemory)})
		return
	}
	s.revokeAll(m)
	s.kill(m, s.cfg.OverMemory(m.memory, s.cfg.MaxMemory))
}

// longRead is a time that only a large input takes to be sent.
const longRead = 10 * time.Millisecond

// condemn kills a worker for one of its items.
func (s *Scheduler) condemn(m *member, st *stopping) {
	if m.stop != nil && m.stop.timer != nil {
		m.stop.timer.Stop()
	}
	m.stop = st
	s.kill(m, st.err)
}

// bloated reports whether a worker without tasks should be replaced for its memory. Measuring costs
// more than a short task, so it is not done after each.
func (s *Scheduler) bloated(m *member) bool {
	if s.cfg.MaxMemory <= 0 || m.tasks == 0 || m.outstanding > 0 {
		return false
	}
	if time.Since(m.memoryAt) >= time.Millisecond {
		s.measureMemory(m)
	}
	return m.memory > s.cfg.MaxMemory/10*9
}
