package pool

import "time"

// take picks the next batch for a worker, nil when there is none for it now.
func (s *Scheduler) take(m *member) *Batch {
	if b, hold := s.takePinned(m); b != nil || hold {
		return b
	}
	j := s.topFor(m)
	if j == nil || !m.accepts() || len(m.batches) >= maxBatches || s.usedUp(m) {
		return nil
	}
	quota := s.quota(m)
	room, shared := s.roomAt(m, j)
	if room = min(room, quota); room <= 0 {
		return nil
	}
	b := &Batch{
		estimate: j.estimate, cost: j.estimate.cost(room - 1), priority: j.Priority, Report: s.events.perTask, Moves: j.Moves,
	}
	if b.Moves {
		room, quota = 1, 1
	}
	b.short, b.typical = b.estimate.isShort(), int64(b.estimate.typical)
	b.Spans = b.one[:0]
	if room > 1 && j.unsent == 1 {
		b.Spans = make([]Span, 0, min(room, maxSpans)) // most likely jobs of one task follow
	}
	for room > 0 && j != nil && j.estimate == b.estimate && j.Priority == b.priority && j.Moves == b.Moves && len(b.Spans) < maxSpans {
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
		room -= s.fill(j, n, b)
		if m.compensates != nil {
			break
		}
		j = s.queues.top()
	}
	s.removeIdle(m)
	s.send(m, b)
	return b
}

// roomAt is how many tasks a worker may be sent of a job's pace, and whether other jobs want it too.
func (s *Scheduler) roomAt(m *member, j *Job) (n int, shared bool) {
	p := j.estimate
	shared = s.queues.queue(j.Priority).isShared()
	if n = p.depth(prefetchWork); shared {
		n = p.depth(prefetchWorkShared)
	}
	if j.Chunk > 0 && p.mean == 0 {
		n = j.Chunk
	}
	if m.outstanding > 0 && (m.outstanding > n/2 || m.batches[len(m.batches)-1].estimate != p) {
		return 0, shared // enough to do for now, or of a length that says nothing of these
	}
	if m.slow > 0 && p.isShort() {
		return 0, shared // what it has may take long
	}
	if j.Moves && m.outstanding > 0 {
		return 0, shared // and what comes behind it waits too: it is not for long
	}
	hands := s.usefulWorkers(j, m.caps.Sleeps)
	share := max(1, (s.queues.items+2*hands-1)/(2*hands)) // leave some to the others
	return min(n-m.outstanding, share), shared
}

// move moves up to n tasks of a job into a batch, and returns how many.
func (s *Scheduler) fill(j *Job, n int, b *Batch) int {
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

// rouse makes senders look at n new tasks.
func (s *Scheduler) wakeSenders(n int) {
	for n > 0 && len(s.idle) > 0 {
		if s.enoughAwake(workPerWake) {
			s.wakeAwake()
			return
		}
		m := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		m.inIdle = false
		s.markWaking(m)
		m.wake()
		n--
	}
	if n <= 0 {
		return
	}
	if s.cfg.IdleTimeout > 0 && s.enoughAwake(workPerWake) {
		s.wakeAwake()
		return // nor is it worth a start
	}
	if j := s.queues.top(); j != nil && s.depth(j.estimate, j.Priority) > 1 {
		s.wakeBusy()
	}
	s.startMissing()
	s.watchStalls()
}

// rouseBusy makes one sender look whose worker has something to do and may have
// more sent ahead.
func (s *Scheduler) wakeBusy() {
	for _, m := range s.members {
		if m.parked && m.outstanding > 0 && m.accepts() && 2*m.outstanding <= s.depthOf(m) {
			m.parked = false
			m.wake()
			return
		}
	}
}

// rest is what a worker's sender does when there is nothing to send.
func (s *Scheduler) nothingToSend(m *member) {
	if m.outstanding > 0 || m.dead {
		return
	}
	if m.stop == nil && (m.retiring || s.usedUp(m)) {
		s.closeWorker(m, s.endReason(m))
		s.wakeSenders(s.queues.items) // they may have waited for this one
		return
	}
	if !m.accepts() || m.compensates != nil {
		return
	}
	if !m.inIdle {
		m.inIdle = true
		s.idle = append(s.idle, m)
		s.startIdleTimer(m)
	}
	if s.queues.items == 0 {
		s.steal(m)
	}
}

// unlist takes a worker off the idle list.
func (s *Scheduler) removeIdle(m *member) {
	if !m.inIdle {
		return
	}
	m.inIdle = false
	for i, other := range s.idle {
		if other == m {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			return
		}
	}
}
