package pool

import "time"

// take picks the next batch for a worker, nil when there is none for it now.
func (s *Scheduler) take(m *member) *Batch {
	j := s.topFor(m)
	if j == nil || !m.accepts() || len(m.batches) >= maxFlight || s.spent(m) {
		return nil
	}
	p := j.pace
	room := p.depth()
	if j.Chunk > 0 && p.mean == 0 {
		room = j.Chunk
	}
	if m.outstanding > 0 && (m.outstanding > room/2 || m.batches[len(m.batches)-1].pace != p) {
		return nil // enough to do for now, or of a length that says nothing of these
	}
	if j.Alone && m.outstanding > 0 {
		return nil // and what comes behind it waits too: it is not for long
	}
	room -= m.outstanding
	share := max(1, (s.ready.items+2*s.want-1)/(2*s.want)) // leave some to the others
	quota := s.quota(m)
	room = min(room, share, quota)
	if room <= 0 {
		return nil
	}
	b := &Batch{pace: p, priority: j.Priority, Report: s.cfg.Events != nil, Alone: j.Alone}
	if b.Alone {
		room, quota = 1, 1
	}
	b.Spans = b.one[:0]
	if room > 1 && j.unsent == 1 {
		b.Spans = make([]Span, 0, min(room, maxSpans)) // most likely jobs of one task follow
	}
	for room > 0 && j != nil && j.pace == p && j.Priority == b.priority && j.Alone == b.Alone && len(b.Spans) < maxSpans {
		n := room
		if j.Chunk > 0 {
			if b.items > 0 && j.Chunk > room {
				break
			}
			n = min(j.Chunk, quota-b.items)
		}
		sp := j.cut(n)
		b.add(sp)
		j.inflight += sp.N
		s.ready.items -= sp.N
		room -= sp.N
		if j.unsent == 0 {
			s.ready.remove(j)
		}
		if m.loan != nil {
			break
		}
		j = s.ready.top()
	}
	s.unlist(m)
	s.send(m, b)
	return b
}

// quota is how many tasks a worker may be sent at once, whatever they are.
func (s *Scheduler) quota(m *member) int {
	n := min(maxItems, s.events.room())
	if s.cfg.Guest != nil {
		n = min(n, maxItemsHere)
	}
	if q := s.cfg.TasksPerWorker; q > 0 {
		n = min(n, q-m.sent)
	}
	return n
}

// send notes that a batch is on its way to a worker.
func (s *Scheduler) send(m *member, b *Batch) {
	if m.outstanding == 0 {
		m.headSince = time.Now()
	}
	m.used = true
	m.batches = append(m.batches, b)
	m.outstanding += b.items
	m.sent += b.items
	m.w.Open(b)
	if b.timed {
		s.watchOver(m)
	}
	s.watchMemory()
	s.look()
	s.makeRoom()
}

// rouse makes senders look at n new tasks.
func (s *Scheduler) rouse(n int) {
	for n > 0 && len(s.idle) > 0 {
		m := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		m.listed = false
		m.wake()
		n--
	}
	if n <= 0 {
		return
	}
	if j := s.ready.top(); j != nil && j.pace.depth() > 1 {
		s.rouseBusy()
	}
	s.hire()
	s.look()
}

// rouseBusy makes one sender look whose worker has something to do and may have
// more sent ahead.
func (s *Scheduler) rouseBusy() {
	for _, m := range s.members {
		if m.parked && m.outstanding > 0 && m.accepts() && 2*m.outstanding <= m.batches[len(m.batches)-1].pace.depth() {
			m.parked = false
			m.wake()
			return
		}
	}
}

// rest is what a worker's sender does when there is nothing to send.
func (s *Scheduler) rest(m *member) {
	if m.outstanding > 0 || m.dead {
		return
	}
	if m.stop == nil && (m.retiring || s.spent(m)) {
		s.dismiss(m)
		return
	}
	if !m.accepts() || m.loan != nil {
		return
	}
	if !m.listed {
		m.listed = true
		s.idle = append(s.idle, m)
		s.countIdle(m)
	}
	if s.ready.items == 0 {
		s.steal(m)
	}
}

// unlist takes a worker off the idle list.
func (s *Scheduler) unlist(m *member) {
	if !m.listed {
		return
	}
	m.listed = false
	for i, other := range s.idle {
		if other == m {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			return
		}
	}
}
