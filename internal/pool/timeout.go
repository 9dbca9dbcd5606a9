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
		if m.sending == nil && sp.Job.rare().mute(b.index(b.done)) >= mostMute {
			s.blameHead(m, b)
			return
		}
		s.recallAll(m)
		if m.outstanding == 0 || b.held() || !m.caps.Revocable {
			sp.Job.rare().moved++
			s.kill(m, because(errMute, s.cfg.TimedOut(sp.Job.Timeout, "")))
			return
		}
		s.watchIn(m, stallAfter)
		return
	}
	s.watchOver(m)
}

// blameHead kills a worker for the task that it does not begin, as far as it says: one worker after
// another has not, so it is the task. It may write to the memory in which its worker says what it does.
func (s *Scheduler) blameHead(m *member, b *Batch) {
	head := b.done
	for i := len(m.batches) - 1; i >= 0; i-- {
		keep := 0
		if m.batches[i] == b {
			keep = head + 1
		}
		s.recall(m, m.batches[i], keep)
	}
	s.rouse(s.ready.items)
	sp, _ := b.At(head)
	s.condemn(m, &stopping{batch: b, item: head, unread: true, err: s.cfg.TimedOut(sp.Job.Timeout, "")})
}

// mute counts the workers that were killed because they did not begin the task with that index.
func (r *seldom) mute(index int) int {
	if r.mutes == nil || len(r.mutes) >= mostMuted {
		r.mutes = make(map[int]int)
	}
	r.mutes[index]++
	return r.mutes[index]
}

const (
	// mostMute is how many workers may not begin a task: two may have been stopped by somebody.
	mostMute = 3
	// mostMuted is how many such tasks of a job are remembered.
	mostMuted = 1024
)

const (
	// breath is what a worker may take to begin a task, however short the task's timeout.
	breath = 100 * time.Millisecond
	// sendPatience is what a worker may take to read its input; twice as long after
	// each time that this was too short, because the input may just be big.
	sendPatience = 10 * time.Second
)
