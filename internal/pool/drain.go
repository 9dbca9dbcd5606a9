package pool

// Drain takes no more jobs and cancels every task that has not begun. Tasks that run finish. A job with
// a known number of tasks gets an outcome for each. A lazy job ends with ErrCancelled as soon as its
// running tasks have ended.
func (s *Scheduler) Drain() {
	s.mu.Lock()
	s.closed, s.draining = true, true
	for _, m := range s.members {
		s.revokeAll(m) // a sender that this wakes gets the lock when nothing waits any more
	}
	var due []delivery
	var finished []*Job
	for j, next := s.open.first, (*Job)(nil); j != nil; j = next {
		next = s.open.next(j)
		due = s.drainJob(j, due)
		if s.checkFinished(j) {
			finished = append(finished, j)
		}
	}
	s.wakeSubmitters()
	s.checkRecycled()
	s.windDown()
	s.checkEnded()
	s.mu.Unlock()
	s.deliver(due)
	s.finish(finished...)
}

// drainJob cancels the waiting tasks of a job.
func (s *Scheduler) drainJob(j *Job, due []delivery) []delivery {
	if j.over {
		return due
	}
	if j.Lazy {
		j.sealed, j.needExtra().why = true, ErrCancelled
	}
	for _, sp := range s.takeWaiting(j) {
		if j.Lazy {
			s.settleUnreported(j, sp)
			continue
		}
		due = s.failWaiting(j, sp, ErrCancelled, due)
	}
	return due
}

// takeWaiting takes all waiting tasks off a job.
func (s *Scheduler) takeWaiting(j *Job) (waiting []Span) {
	n := j.unsent
	for j.unsent > 0 {
		waiting = append(waiting, j.cut(j.unsent))
	}
	if j.pin() == nil {
		s.queues.remove(j)
		s.queues.items -= n
	} else {
		j.worker.unpin(j)
	}
	if j.extra == nil {
		return waiting
	}
	for index, r := range j.inBackOff {
		r.timer.Stop()
		waiting = append(waiting, Span{Job: j, First: index, N: 1, Attempt: r.attempt})
	}
	s.inBackOff -= len(j.inBackOff)
	j.inBackOff = nil
	return waiting
}

// settleUnreported counts tasks as cancelled that get no outcome: the end of their job reports them.
func (s *Scheduler) settleUnreported(j *Job, sp Span) {
	s.counts.failed += sp.N
	s.events.add(entry{kind: TaskFailed, job: j, first: sp.First, n: sp.N, attempt: sp.Attempt, err: ErrCancelled})
	j.unsettled -= sp.N
	s.unsettled -= sp.N
}

// failWaiting settles waiting tasks that will not be begun any more.
func (s *Scheduler) failWaiting(j *Job, sp Span, why error, due []delivery) []delivery {
	s.counts.failed += sp.N
	s.events.add(entry{kind: TaskFailed, job: j, first: sp.First, n: sp.N, attempt: sp.Attempt, err: why})
	return s.settle(j, Outcome{First: sp.First, Count: sp.N, Attempts: sp.Attempt - 1, Err: why, ID: j.taskID(sp.First)}, due)
}
