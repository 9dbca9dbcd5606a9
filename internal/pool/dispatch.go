package pool

import "time"

// take picks the next batch for a worker, nil when there is none for it now.
func (s *Scheduler) take(m *member) *Batch {
	if b, hold := s.takeOwn(m); b != nil || hold {
		return b
	}
	j := s.topFor(m)
	if j == nil || !m.accepts() || len(m.batches) >= maxFlight || s.spent(m) {
		return nil
	}
	quota := s.quota(m)
	room, shared := s.roomAt(m, j)
	if room = min(room, quota); room <= 0 {
		return nil
	}
	b := &Batch{
		pace: j.pace, cost: j.pace.cost(room - 1), priority: j.Priority, Report: s.events.each, Alone: j.Alone,
	}
	if b.Alone {
		room, quota = 1, 1
	}
	b.quick, b.each = b.pace.isShort(), int64(b.pace.usual)
	b.Spans = b.one[:0]
	if room > 1 && j.unsent == 1 {
		b.Spans = make([]Span, 0, min(room, maxSpans)) // most likely jobs of one task follow
	}
	for room > 0 && j != nil && j.pace == b.pace && j.Priority == b.priority && j.Alone == b.Alone && len(b.Spans) < maxSpans {
		n := room
		if j.Chunk > 0 {
			if b.items > 0 && j.Chunk > room {
				break
			}
			n = min(j.Chunk, quota-b.items)
			if shared {
				n = min(n, room)
			}
		}
		room -= s.move(j, n, b)
		if m.loan != nil {
			break
		}
		j = s.ready.top()
	}
	s.unlist(m)
	s.send(m, b)
	return b
}

// roomAt is how many tasks a worker may be sent of a job's pace, and whether other jobs want it too.
func (s *Scheduler) roomAt(m *member, j *Job) (n int, shared bool) {
	p := j.pace
	shared = s.ready.level(j.Priority).isShared()
	if n = p.depth(ahead); shared {
		n = p.depth(aheadShared)
	}
	if j.Chunk > 0 && p.mean == 0 {
		n = j.Chunk
	}
	if m.outstanding > 0 && (m.outstanding > n/2 || m.batches[len(m.batches)-1].pace != p) {
		return 0, shared // enough to do for now, or of a length that says nothing of these
	}
	if m.slow > 0 && p.isShort() {
		return 0, shared // what it has may take long
	}
	if j.Alone && m.outstanding > 0 {
		return 0, shared // and what comes behind it waits too: it is not for long
	}
	hands := s.hands(j, m.caps.Sleeps)
	share := max(1, (s.ready.items+2*hands-1)/(2*hands)) // leave some to the others
	return min(n-m.outstanding, share), shared
}

// move moves up to n tasks of a job into a batch, and returns how many.
func (s *Scheduler) move(j *Job, n int, b *Batch) int {
	sp := j.cut(n)
	b.add(sp)
	j.inflight += int32(sp.N)
	s.ready.items -= sp.N
	if j.unsent == 0 {
		s.ready.remove(j)
	}
	cost := int64(sp.N) * b.cost
	j.charged += cost
	s.ready.charge(j, cost)
	return sp.N
}

// quota is how many tasks a worker may be sent at once, whatever they are.
func (s *Scheduler) quota(m *member) int {
	n := min(maxItems, m.capacity-m.outstanding, s.events.room())
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
	s.hold(m, b, b.items)
	m.sent += b.items
	m.w.Open(b)
	if b.timed {
		s.watchOver(m)
	}
	s.watchMemory()
	s.goRound(m)
	s.look()
	s.makeRoom()
}

// rouse makes senders look at n new tasks.
func (s *Scheduler) rouse(n int) {
	for n > 0 && len(s.idle) > 0 {
		if s.enough(wakeWorth) {
			s.rouseQuick()
			return
		}
		m := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		m.listed = false
		s.wakes(m)
		m.wake()
		n--
	}
	if n <= 0 {
		return
	}
	if s.cfg.IdleTimeout > 0 && s.enough(wakeWorth) {
		s.rouseQuick()
		return // nor is it worth a start
	}
	if j := s.ready.top(); j != nil && s.depth(j.pace, j.Priority) > 1 {
		s.rouseBusy()
	}
	s.hire()
	s.look()
}

// rouseBusy makes one sender look whose worker has something to do and may have
// more sent ahead.
func (s *Scheduler) rouseBusy() {
	for _, m := range s.members {
		if m.parked && m.outstanding > 0 && m.accepts() && 2*m.outstanding <= s.depthOf(m) {
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
		s.dismiss(m, s.spentWhy(m))
		s.rouse(s.ready.items) // they may have waited for this one
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
