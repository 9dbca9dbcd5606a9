package pool

import "time"

// memoryEvery is how often the workers' memory is looked at while tasks run.
const memoryEvery = 20 * time.Millisecond

// watchMemory starts the looks at the workers' memory.
func (s *Scheduler) watchMemory() {
	if s.cfg.MaxMemory <= 0 || s.watching {
		return
	}
	s.watching = true
	if s.memory == nil {
		s.memory = time.AfterFunc(memoryEvery, s.lookAtMemory)
		return
	}
	s.memory.Reset(memoryEvery)
}

// lookAtMemory kills the tasks whose worker has passed the limit. A worker that
// holds most of it between two tasks is replaced: the next task should not be
// blamed for what the last one left.
func (s *Scheduler) lookAtMemory() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watching = false
	for _, m := range s.members {
		if m.dead || m.killed {
			continue
		}
		switch s.weigh(m); {
		case m.outstanding == 0 && s.bloated(m):
			s.retire(m, errBloated)
		case m.outstanding > 0 && m.memory > s.cfg.MaxMemory && m.caps.Kills:
			s.tooBig(m)
		}
	}
	if s.running() > 0 {
		s.watchMemory()
	}
}

// weigh looks at a worker's memory.
func (s *Scheduler) weigh(m *member) { m.memory, m.looked = m.w.Memory(), time.Now() }

func (s *Scheduler) tooBig(m *member) {
	b, item, _, ok := m.w.Running()
	if ok && b.done <= item {
		s.recallAll(m)
		s.condemn(m, &stopping{batch: b, item: item, err: s.cfg.OverMemory(m.memory, s.cfg.MaxMemory)})
		return
	}
	if b = m.sending; b == nil || b.items > 1 || b.done >= b.limit || s.elapsed(m.sendSince) < longRead {
		s.recallAll(m)
		s.retire(m, errBloated) // between two tasks: the next should not be blamed
		return
	}
	// It is reading an input. A worker that has done nothing else has nothing else.
	if m.tasks == 0 {
		s.condemn(m, &stopping{batch: b, unread: true, err: s.cfg.OverMemory(m.memory, s.cfg.MaxMemory)})
		return
	}
	s.recallAll(m)
	s.kill(m, s.cfg.OverMemory(m.memory, s.cfg.MaxMemory))
}

// longRead is what only a large input takes to be sent.
const longRead = 10 * time.Millisecond

// condemn kills a worker for one of its items.
func (s *Scheduler) condemn(m *member, st *stopping) {
	if m.stop != nil && m.stop.timer != nil {
		m.stop.timer.Stop()
	}
	m.stop = st
	s.kill(m, st.err)
}

// bloated says whether a worker without tasks should be replaced. A look costs
// more than a short task, so there is not one after each.
func (s *Scheduler) bloated(m *member) bool {
	if s.cfg.MaxMemory <= 0 || m.tasks == 0 || m.outstanding > 0 {
		return false
	}
	if time.Since(m.looked) >= time.Millisecond {
		s.weigh(m)
	}
	return m.memory > s.cfg.MaxMemory/10*9
}
