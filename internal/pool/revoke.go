package pool

import "time"

const (
	minStealWork = 200 * time.Microsecond // of work behind another task
	stallAfter   = 5 * time.Millisecond   // without a result: the cost estimate was wrong
)

// revoke takes back what a worker has not begun of a batch, beyond the first keep items,
// for the next free worker. It returns how many items that were: 0 if the worker is not Revocable.
func (s *Scheduler) revoke(m *member, b *Batch, keep int) int {
	if !m.caps.Revocable {
		return 0
	}
	return s.takeBack(m, b, keep)
}

// takeBack is revoke, also for workers that are not Revocable: the batch was not sent, or its worker is dead.
func (s *Scheduler) takeBack(m *member, b *Batch, keep int) int {
	if keep >= b.limit || b.done >= b.limit || b.irrevocable() {
		return 0
	}
	limit := m.w.Limit(b, keep)
	if limit >= b.limit {
		return 0
	}
	n := b.limit - limit
	b.parts(limit, b.limit, func(sp Span) { s.requeue(sp, b) })
	b.limit = limit
	s.addOutstanding(m, b, -n)
	m.sent -= n
	return n
}

// revokeAll takes back everything that a worker has not begun.
func (s *Scheduler) revokeAll(m *member) {
	n := 0
	for i := len(m.batches) - 1; i >= 0; i-- {
		n += s.revoke(m, m.batches[i], 0)
	}
	if n > 0 {
		s.wakeSenders(n)
	}
}

// requeue puts tasks of a batch back into the run queue, as if they had not been sent.
func (s *Scheduler) requeue(sp Span, b *Batch) {
	j := sp.Job
	s.notInFlight(j, sp.N, b)
	if j.over {
		return
	}
	s.queues.charge(j, -int64(sp.N)*b.cost)
	j.putBackSpan(sp)
	if m := j.pin(); m != nil {
		m.pinned = append([]*Job{j}, m.pinned...)
		s.wakePinned(m)
		return
	}
	s.queues.items += sp.N
	s.enlist(j, true)
}

// steal finds work for an idle worker among what was sent ahead to others.
func (s *Scheduler) steal(idle *member) {
	if s.prefetched == 0 {
		return
	}
	var from *member
	for _, m := range s.members {
		if m != idle && m.caps.Revocable && m.outstanding > 1 && (from == nil || m.outstanding > from.outstanding) {
			from = m
		}
	}
	if from == nil {
		return
	}
	p := from.batches[len(from.batches)-1].estimate
	if p.mean > 0 && float64(from.outstanding)*p.mean < float64(minStealWork) {
		s.watchStalls() // it has done them before another worker would have
		return
	}
	if s.stealHalf(from) > 0 {
		s.wakeSenders(s.queues.items)
	}
	s.watchStalls()
}

// stealHalf takes back half of the items that a worker has not finished, rounded up.
func (s *Scheduler) stealHalf(m *member) int {
	return s.revokeFrom(m, (m.outstanding+1)/2)
}

// revokeFrom takes back up to want items that a worker has not begun.
func (s *Scheduler) revokeFrom(m *member, want int) int {
	got := 0
	for i := len(m.batches) - 1; i >= 0 && got < want; i-- {
		b := m.batches[i]
		got += s.revoke(m, b, max(b.done, b.limit-(want-got)))
	}
	return got
}

// watchStalls sets the timer of checkStalls, and notes what workers have done so far.
func (s *Scheduler) watchStalls() {
	if s.stallTimerSet {
		return
	}
	s.stallTimerSet = true
	for _, m := range s.members {
		m.stallTasks, m.stallHead = m.tasks, nil
		if len(m.batches) > 0 {
			m.stallHead = m.batches[0]
		}
	}
	if s.stallTimer == nil {
		s.stallTimer = time.AfterFunc(stallAfter, s.checkStalls)
		return
	}
	s.stallTimer.Reset(stallAfter)
}

// checkStalls takes back what waits behind tasks that take longer than expected, and at workers that do
// not begin it. While other jobs wait, a batch that takes too long as a whole is enough.
func (s *Scheduler) checkStalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stallTimerSet = false
	again, n := false, 0
	for _, m := range s.members {
		if m.outstanding == 0 || !m.serving() {
			continue
		}
		_, _, _, runs := m.w.Running()
		again = again || !runs || m.outstanding > 1
		expired := m.batches[0] == m.stallHead
		m.stallHead = m.batches[0]
		if expired && runs && m.outstanding > 1 && m.accepts() && s.otherJobsWait(m) {
			n += s.revokeFrom(m, m.outstanding)
			continue
		}
		if m.tasks != m.stallTasks {
			continue
		}
		switch {
		case runs && m.outstanding > 1 && len(s.idle) > 0:
			n += s.revokeFrom(m, m.outstanding)
		case runs && m.outstanding > 1 && s.othersAccept(m):
			n += s.stealHalf(m)
		case !runs && len(s.idle) > 0 && s.overdue(m): // it is stopped, or has no processor time
			m.unresponsive = true
			for i := len(m.batches) - 1; i >= 0; i-- {
				n += s.revoke(m, m.batches[i], 0)
			}
		}
	}
	if n > 0 || s.queues.items > 0 && len(s.idle) > 0 {
		s.wakeSenders(s.queues.items)
	}
	if again {
		s.watchStalls()
	}
}

// overdue reports whether a worker that runs nothing has had the time to begin. While an
// input is being sent, it gets more time, and twice as much after each time that the job
// was taken back for that: every worker may need as long.
func (s *Scheduler) overdue(m *member) bool {
	b := m.sending
	if b == nil {
		return true
	}
	j := b.Spans[0].Job
	if s.elapsed(m.sendSince) < readTimeout<<min(j.needExtra().slowReads, 10) {
		return false
	}
	j.slowReads++
	return true
}

// readTimeout is how long a worker may take to read a batch while another is idle.
const readTimeout = 100 * time.Millisecond

// othersAccept reports whether another worker can take what is taken back from this one.
func (s *Scheduler) othersAccept(m *member) bool {
	for _, other := range s.members {
		if other != m && other.accepts() {
			return true
		}
	}
	return false
}

// preempt takes back what waits at workers with a lower priority than the given one.
func (s *Scheduler) preempt(priority int) {
	for _, m := range s.members {
		for i := len(m.batches) - 1; i >= 0; i-- {
			if b := m.batches[i]; b.priority < priority && m.outstanding > 1 {
				s.revoke(m, b, b.done)
			}
		}
	}
}
