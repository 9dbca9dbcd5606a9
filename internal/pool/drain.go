package pool

// Drain takes no more jobs and cancels every task that is not begun; those that run finish. A job with
// a known number of tasks gets an outcome for each. A lazy one ends, with ErrCancelled, when
// what runs of it has.
func (s *Scheduler) Drain() {
	s.mu.Lock()
	s.closed, s.draining = true, true
	for _, m := range s.members {
		s.recallAll(m) // who is roused by it gets the lock when nothing waits any more
	}
	var due []delivery
	var finished []*Job
	for j, next := s.open.first, (*Job)(nil); j != nil; j = next {
		next = j.newer
		due = s.drop(j, due)
		if s.settled(j) {
			finished = append(finished, j)
		}
	}
	s.makeRoom()
	s.renewed()
	s.wind()
	s.end()
	s.mu.Unlock()
	s.deliver(due)
	s.finish(finished...)
}

// drop cancels the tasks of a job that wait.
func (s *Scheduler) drop(j *Job, due []delivery) []delivery {
	if j.over {
		return due
	}
	if j.Lazy {
		j.sealed, j.rare().why = true, ErrCancelled
	}
	for _, sp := range s.withdrawn(j) {
		if j.Lazy {
			s.settleUntold(j, sp)
			continue
		}
		due = s.refuse(j, sp, ErrCancelled, due)
	}
	return due
}

// withdrawn takes all waiting tasks off a job.
func (s *Scheduler) withdrawn(j *Job) (waiting []Span) {
	n := j.unsent
	for j.unsent > 0 {
		waiting = append(waiting, j.cut(j.unsent))
	}
	if j.pin() == nil {
		s.ready.remove(j)
		s.ready.items -= n
	} else {
		j.worker.unpin(j)
	}
	if j.seldom == nil {
		return waiting
	}
	for index, r := range j.waiting {
		r.timer.Stop()
		waiting = append(waiting, Span{Job: j, First: index, N: 1, Attempt: r.attempt})
	}
	s.waiting -= len(j.waiting)
	j.waiting = nil
	return waiting
}

// settleUntold takes tasks as cancelled of which the end of their job tells.
func (s *Scheduler) settleUntold(j *Job, sp Span) {
	s.counts.failed += sp.N
	s.events.add(entry{kind: TaskFailed, job: j, first: sp.First, n: sp.N, attempt: sp.Attempt, err: ErrCancelled})
	j.unsettled -= sp.N
	s.unsettled -= sp.N
}

// refuse settles tasks of which no attempt will be made any more.
func (s *Scheduler) refuse(j *Job, sp Span, why error, due []delivery) []delivery {
	s.counts.failed += sp.N
	s.events.add(entry{kind: TaskFailed, job: j, first: sp.First, n: sp.N, attempt: sp.Attempt, err: why})
	return s.settle(j, Outcome{First: sp.First, Count: sp.N, Attempts: sp.Attempt - 1, Err: why, ID: j.taskID(sp.First)}, due)
}
