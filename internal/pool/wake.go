package pool

// Which worker gets what waits: an idle one if there is one, the one that was busy last first. While
// those that are awake are enough for short tasks, one of them (awake.go); else one that is
// busy and may be sent more ahead.

// wakeSenders has the senders of workers look at n new tasks.
func (s *Scheduler) wakeSenders(n int) {
	for n > 0 && len(s.idle) > 0 {
		if s.enoughAwake(workPerWake) {
			s.wakeAwake()
			return
		}
		m := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		m.inIdle = false
		s.markWaking(m)
		m.wake()
		n--
	}
	if n <= 0 {
		return
	}
	if s.cfg.IdleTimeout > 0 && s.enoughAwake(workPerWake) {
		s.wakeAwake()
		return // nor are they worth the start of a worker
	}
	if j := s.queues.top(); j != nil && s.depth(j.estimate, j.Priority) > 1 {
		s.wakeBusy()
	}
	s.startMissing()
	s.watchStalls()
}

// wakeBusy has the sender of one busy worker look that may be sent more ahead.
func (s *Scheduler) wakeBusy() {
	for _, m := range s.members {
		if m.parked && m.outstanding > 0 && m.accepts() && 2*m.outstanding <= s.depthOf(m) {
			m.parked = false
			m.wake()
			return
		}
	}
}

// nothingToSend is what a worker's sender does when there is no batch for it: the worker ends if
// it is to, or is idle and looks for tasks to steal.
func (s *Scheduler) nothingToSend(m *member) {
	if m.outstanding > 0 || m.dead {
		return
	}
	if m.stop == nil && (m.retiring || s.usedUp(m)) {
		s.closeWorker(m, s.endReason(m))
		s.wakeSenders(s.queues.items) // they may have waited for this worker
		return
	}
	if !m.accepts() || m.compensates != nil {
		return
	}
	if !m.inIdle {
		m.inIdle = true
		s.idle = append(s.idle, m)
		s.startIdleTimer(m)
	}
	if s.queues.items == 0 {
		s.steal(m)
	}
}

// removeIdle takes a worker off the list of idle ones.
func (s *Scheduler) removeIdle(m *member) {
	if !m.inIdle {
		return
	}
	m.inIdle = false
	for i, other := range s.idle {
		if other == m {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			return
		}
	}
}
