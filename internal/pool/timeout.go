package pool

import "time"

// watchTimeouts sets the timer of checkTimeout to the earliest time at which an item of the worker
// can be late.
func (s *Scheduler) watchTimeouts(m *member) {
	wait := time.Duration(0)
	for _, b := range m.batches {
		if b.done >= b.limit || !b.timed {
			continue
		}
		for i := range b.Spans {
			if t := b.Spans[i].Job.Timeout; t > 0 && (wait == 0 || t < wait) {
				wait = t
			}
		}
	}
	if wait > 0 {
		s.checkTimeoutIn(m, wait)
	}
}

// checkTimeoutIn sets the timer, unless it is set to an earlier time.
func (s *Scheduler) checkTimeoutIn(m *member, wait time.Duration) {
	due := time.Now().Add(wait)
	if !m.timeoutDue.IsZero() && !due.Before(m.timeoutDue) {
		return
	}
	m.timeoutDue = due
	if m.timeoutTimer == nil {
		m.timeoutTimer = time.AfterFunc(wait, func() { s.checkTimeout(m) })
		return
	}
	m.timeoutTimer.Reset(wait)
}

// checkTimeout stops the item whose time is over, or sets the timer to when it will be.
func (s *Scheduler) checkTimeout(m *member) {
	m.collect() // what ended in time was in time
	s.mu.Lock()
	defer s.mu.Unlock()
	m.timeoutDue = time.Time{}
	if m.dead || m.killed || m.outstanding == 0 || m.stop != nil {
		return
	}
	b, item, since, running := m.w.Running()
	if !running || b.done > item {
		s.checkUnbegun(m)
		return
	}
	sp, _ := b.At(item)
	if sp == nil || sp.Job.Timeout <= 0 {
		s.watchTimeouts(m)
		return
	}
	left := sp.Job.Timeout - s.elapsed(since)
	if left > 0 {
		s.checkTimeoutIn(m, left)
		return
	}
	s.stopItem(m, &stopping{batch: b, item: item, after: sp.Job.Timeout, since: time.Now().Add(left)})
}

// checkUnbegun kills a worker that does not begin a task within the task's
// timeout: it was stopped. The task is not blamed, and goes to another worker.
func (s *Scheduler) checkUnbegun(m *member) {
	for _, b := range m.batches {
		if b.done >= b.limit {
			continue
		}
		sp, _ := b.At(b.done)
		if sp.Job.Timeout <= 0 {
			break
		}
		left := max(sp.Job.Timeout, beginTimeout) - s.elapsed(m.headSince)
		if m.sending != nil { // a large input may take its time, but not without limit
			left = max(sp.Job.Timeout, sendTimeout<<min(sp.Job.needExtra().slowReads, 10)) - s.elapsed(m.sendSince)
		}
		if left > 0 {
			s.checkTimeoutIn(m, left)
			return
		}
		if m.sending == nil && sp.Job.needExtra().countUnbegun(b.index(b.done)) >= maxUnbegun {
			s.blameUnbegun(m, b)
			return
		}
		s.revokeAll(m)
		if m.outstanding == 0 || b.irrevocable() || !m.caps.Revocable {
			sp.Job.needExtra().slowReads++
			s.kill(m, because(errNotBegun, s.cfg.TimedOut(sp.Job.Timeout, "")))
			return
		}
		s.checkTimeoutIn(m, stallAfter)
		return
	}
	s.watchTimeouts(m)
}

// blameUnbegun kills a worker and blames the task that it does not report as begun. Several workers in a row
// have not, so the cause is the task: it may overwrite the memory in which its worker reports.
func (s *Scheduler) blameUnbegun(m *member, b *Batch) {
	head := b.done
	for i := len(m.batches) - 1; i >= 0; i-- {
		keep := 0
		if m.batches[i] == b {
			keep = head + 1
		}
		s.revoke(m, m.batches[i], keep)
	}
	s.wakeSenders(s.queues.items)
	sp, _ := b.At(head)
	s.condemn(m, &stopping{batch: b, item: head, unread: true, err: s.cfg.TimedOut(sp.Job.Timeout, "")})
}

// countUnbegun counts the workers that did not begin the task with an index.
func (r *extra) countUnbegun(index int) int {
	if r.unbegun == nil || len(r.unbegun) >= maxUnbegunTracked {
		r.unbegun = make(map[int]int)
	}
	r.unbegun[index]++
	return r.unbegun[index]
}

const (
	// maxUnbegun is how many workers have to fail to begin a task before it is blamed: two may have been stopped from outside.
	maxUnbegun = 3
	// maxUnbegunTracked is for how many tasks of a job that is counted.
	maxUnbegunTracked = 1024
)

const (
	// beginTimeout is how long a worker may take to begin a task, however short the task's timeout is.
	beginTimeout = 100 * time.Millisecond
	// sendTimeout is how long a worker may take to read its input. It doubles after
	// each time that it was too short, because the input may just be large.
	sendTimeout = 10 * time.Second
)
