package pool

import "time"

// watchOver sets the timer that looks at a worker's timeouts: no item that is at
// the worker can be late before.
func (s *Scheduler) watchOver(m *member) {
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
		s.watchIn(m, wait)
	}
}

// watchIn sets the timer, unless it goes off sooner anyway.
func (s *Scheduler) watchIn(m *member, wait time.Duration) {
	due := time.Now().Add(wait)
	if !m.due.IsZero() && !due.Before(m.due) {
		return
	}
	m.due = due
	if m.watch == nil {
		m.watch = time.AfterFunc(wait, func() { s.watchNow(m) })
		return
	}
	m.watch.Reset(wait)
}

// watchNow stops the item whose time is over, or looks again when it would be.
func (s *Scheduler) watchNow(m *member) {
	m.collect() // what ended in time was in time
	s.mu.Lock()
	defer s.mu.Unlock()
	m.due = time.Time{}
	if m.dead || m.killed || m.outstanding == 0 || m.stop != nil {
		return
	}
	b, item, since, running := m.w.Running()
	if !running || b.done > item {
		s.watchHead(m)
		return
	}
	sp, _ := b.At(item)
	if sp == nil || sp.Job.Timeout <= 0 {
		s.watchOver(m)
		return
	}
	left := sp.Job.Timeout - s.elapsed(since)
	if left > 0 {
		s.watchIn(m, left)
		return
	}
	s.stopItem(m, &stopping{batch: b, item: item, after: sp.Job.Timeout, since: time.Now().Add(left)})
}

// watchHead kills a worker that does not even begin a task within the task's
// timeout: it was stopped. The task is not blamed and goes to another.
func (s *Scheduler) watchHead(m *member) {
	for _, b := range m.batches {
		if b.done >= b.limit {
			continue
		}
		sp, _ := b.At(b.done)
		if sp.Job.Timeout <= 0 {
			break
		}
		left := max(sp.Job.Timeout, breath) - s.elapsed(m.headSince)
		if m.sending != nil { // a big input may take its time, but not for ever
			left = max(sp.Job.Timeout, sendPatience<<min(sp.Job.rare().moved, 10)) - s.elapsed(m.sendSince)
		}
		if left > 0 {
			s.watchIn(m, left)
			return
		}
		s.recallAll(m)
		if m.outstanding == 0 || b.held() {
			if sp.Job.rare().moved++; sp.Job.moved%maxPerished == 0 && b.items == 1 && m.sending == nil {
				s.condemn(m, &stopping{batch: b, unread: true, err: s.cfg.TimedOut(sp.Job.Timeout, "")}) // worker after worker: it is the task
				return
			}
			s.kill(m, because(errMute, s.cfg.TimedOut(sp.Job.Timeout, "")))
			return
		}
		s.watchIn(m, stallAfter)
		return
	}
	s.watchOver(m)
}

const (
	// breath is what a worker may take to begin a task, however short the task's timeout.
	breath = 100 * time.Millisecond
	// sendPatience is what a worker may take to read its input; twice as long after
	// each time that this was too short, because the input may just be big.
	sendPatience = 10 * time.Second
)
