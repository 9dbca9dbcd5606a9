package pool

import "time"

// nextBatch takes the next batch for a worker off the run queues; nil if there is none for it now.
func (s *Scheduler) nextBatch(m *member) *Batch {
	if b, hold := s.takePinned(m); b != nil || hold {
		return b
	}
	if !m.accepts() || len(m.batches) >= maxBatches || s.usedUp(m) {
		return nil
	}
	j := s.topFor(m)
	if j == nil {
		return nil
	}
	a := s.amountFor(m, j)
	if a.n <= 0 {
		return nil
	}
	b := s.newBatch(j, a.n)
	s.fill(b, j, a, m.compensates == nil)
	s.removeIdle(m)
	s.send(m, b)
	return b
}

// newBatch makes a batch for up to n tasks like those of a job.
func (s *Scheduler) newBatch(j *Job, n int) *Batch {
	e := j.estimate
	b := &Batch{
		estimate: e, cost: e.cost(n - 1), short: e.isShort(), typical: int64(e.typical),
		priority: j.Priority, Report: s.events.perTask, Moves: j.Moves,
	}
	b.Spans = b.one[:0]
	if n > 1 && j.unsent == 1 {
		b.Spans = make([]Span, 0, min(n, maxSpans)) // most likely jobs of one task follow
	}
	return b
}

// fill moves tasks of a job into a batch, and with others those of the jobs behind it that are alike.
func (s *Scheduler) fill(b *Batch, j *Job, a amount, others bool) {
	for left := a.n; left > 0 && j != nil && b.takes(j); j = s.queues.top() {
		n := a.of(j, b, left)
		if n == 0 {
			return
		}
		left -= s.move(j, n, b)
		if !others {
			return
		}
	}
}

// takes reports whether tasks of a job may be in the batch beside those that are.
func (b *Batch) takes(j *Job) bool {
	return j.estimate == b.estimate && j.Priority == b.priority && j.Moves == b.Moves && len(b.Spans) < maxSpans
}

// move moves up to n tasks of a job into a batch, and returns how many.
func (s *Scheduler) move(j *Job, n int, b *Batch) int {
	sp := j.cut(n)
	b.add(sp)
	j.inflight += int32(sp.N)
	s.queues.items -= sp.N
	if j.unsent == 0 {
		s.queues.remove(j)
	}
	cost := int64(sp.N) * b.cost
	j.charged += cost
	s.queues.charge(j, cost)
	return sp.N
}

// send notes that a batch is on its way to a worker.
func (s *Scheduler) send(m *member, b *Batch) {
	if m.outstanding == 0 {
		m.headSince = time.Now()
	}
	m.used = true
	m.batches = append(m.batches, b)
	s.addOutstanding(m, b, b.items)
	m.sent += b.items
	m.w.Open(b)
	if b.timed {
		s.watchTimeouts(m)
	}
	s.watchMemory()
	s.watchCollector(m)
	s.watchStalls()
	s.wakeSubmitters()
}
