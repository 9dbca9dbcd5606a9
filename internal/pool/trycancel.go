package pool

// TryCancel cancels a job if none of its tasks has begun, and reports whether it did. It takes back what was
// sent ahead. If a task has begun, what was taken back waits for the next free worker.
func (s *Scheduler) TryCancel(j *Job, cause error) bool {
	s.mu.Lock()
	if j.s == nil || j.over || j.unsettled < j.Items || j.unsettled == 0 || !s.revokeUnbegun(j) {
		s.mu.Unlock()
		return false
	}
	s.cancelJob(j, cause)
	finish := s.checkFinished(j)
	s.mu.Unlock()
	if finish {
		s.finish(j)
	}
	return true
}

// revokeUnbegun takes back what workers have of a job, and reports whether no task of it has begun.
func (s *Scheduler) revokeUnbegun(j *Job) bool {
	n := 0
	for _, m := range s.members {
		if j.inflight == 0 {
			break
		}
		n += s.revokeOf(m, j)
	}
	if n > 0 {
		s.wakeSenders(s.queues.items)
	}
	if j.inflight > 0 {
		return false
	}
	if j.extra == nil {
		return true
	}
	for _, sp := range j.putBack {
		if sp.Attempt > 1 {
			return false
		}
	}
	return len(j.inBackOff) == 0
}

// Runs reports whether a worker runs a task of the job now.
func (s *Scheduler) Runs(j *Job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.s == nil || j.over || j.inflight == 0 {
		return false
	}
	for _, m := range s.members {
		b, item, _, ok := m.w.Running()
		if !ok || item < b.done {
			continue
		}
		if sp, _ := b.At(item); sp != nil && sp.Job == j {
			return true
		}
	}
	return false
}
