package pool

import "time"

// stopping is an item that is being stopped: it was asked to, and is killed with
// its worker when its grace is over.
type stopping struct {
	batch  *Batch
	item   int
	after  time.Duration // its timeout; 0: it was cancelled
	since  time.Time     // when its grace began: at its deadline, or when it was cancelled
	stack  string        // where it was after its deadline
	err    error         // its outcome if the worker is killed for it
	unread bool          // it was not begun: its input is to blame
	timer  *time.Timer
}

// Cancel ends a job with the given cause, unless it has ended or all its outcomes are known. Waiting tasks
// are dropped; running ones are asked to stop, and killed after the grace.
func (s *Scheduler) Cancel(j *Job, cause error) {
	s.mu.Lock()
	if j.s == nil || j.over || j.sealed && j.unsettled == 0 {
		s.mu.Unlock()
		return
	}
	s.cancelJob(j, cause)
	finish := s.checkFinished(j)
	s.mu.Unlock()
	if finish {
		s.finish(j)
	}
}

// cancelJob takes a job out of all queues and workers. It has ended, except for outcomes that
// are being delivered, which settled sees.
func (s *Scheduler) cancelJob(j *Job, cause error) {
	if j.over {
		return
	}
	s.counts.failed += j.unsettled
	j.over, j.sealed = true, true
	if cause != nil {
		j.needExtra().why = cause
	}
	if j.extra != nil {
		s.dropPutBack(j)
	}
	s.noteCancelled(Span{Job: j, First: j.next, N: j.Items - j.next, Attempt: 1}, nil)
	if m := j.pin(); m != nil {
		m.unpin(j)
	} else {
		s.queues.remove(j)
		s.queues.items -= j.unsent
	}
	s.unsettled -= j.unsettled
	j.unsent, j.unsettled = 0, 0
	if j.inflight > 0 || j.sending > 0 {
		for _, m := range s.members {
			s.stopJobAt(m, j)
		}
	}
	if j.encoding > 0 {
		s.after(encodeTimeout, func() { s.giveUpEncoding(j) })
	}
	s.wakeSubmitters()
}

// dropPutBack drops the tasks that had been at a worker before.
func (s *Scheduler) dropPutBack(j *Job) {
	for _, sp := range j.putBack {
		s.noteCancelled(sp, nil)
	}
	for index, r := range j.inBackOff {
		r.timer.Stop()
		s.noteCancelled(Span{Job: j, First: index, N: 1, Attempt: r.attempt - 1}, nil)
	}
	s.inBackOff -= len(j.inBackOff)
	j.putBack, j.inBackOff = nil, nil
}

// noteCancelled adds the events of tasks of a cancelled job; m is their worker; nil: they were at none.
func (s *Scheduler) noteCancelled(sp Span, m *member) {
	en := entry{kind: TaskFailed, job: sp.Job, first: sp.First, n: sp.N, attempt: sp.Attempt, err: sp.Job.cause()}
	if m != nil {
		en.worker, en.pid = m.n, m.pid
	}
	s.events.add(en)
}

// stopJobAt takes back and stops what a worker has of a job that is over.
func (s *Scheduler) stopJobAt(m *member, j *Job) {
	n := 0
	for i := len(m.batches) - 1; i >= 0; i-- {
		if b := m.batches[i]; b.holds(j) {
			b.parts(b.done, b.limit, func(sp Span) {
				if sp.Job == j {
					s.noteCancelled(sp, m)
				}
			})
			if n += s.revoke(m, b, 0); !m.caps.Revocable {
				m.cancelAhead(b, j)
			}
		}
	}
	s.stopOver(m)
	if _, _, _, runs := m.w.Running(); n > 0 && !runs && m.outstanding == 0 && m.sending == nil && s.elapsed(m.headSince) >= beginTimeout {
		s.kill(m, because(errNotBegun, j.cause())) // it has had the task for long and has not begun it: it was stopped
	}
	if b := m.sending; b != nil && b.holds(j) {
		s.after(sendGrace, func() { s.abort(m, b, time.Now()) })
	}
	if n > 0 {
		s.wakeSenders(s.queues.items)
		m.wake()
	}
}

// cancelAhead asks a worker not to begin tasks of a job that is over, which cannot be taken back.
func (m *member) cancelAhead(b *Batch, j *Job) {
	for item := b.done; item < b.limit; item++ {
		if sp, _ := b.At(item); sp.Job == j {
			m.w.Cancel(b, item)
		}
	}
}

// stopOver stops the item that a worker may be running for a job that is over. The items that it has
// not begun are taken back already.
func (s *Scheduler) stopOver(m *member) {
	for _, b := range m.batches {
		if item, ok := m.current(b); ok {
			if sp, _ := b.At(item); sp.Job.over {
				s.stopItem(m, &stopping{batch: b, item: item})
			}
		}
	}
}

// sendGrace is how long the input of a cancelled call may go on being sent before the
// worker is killed: other tasks wait behind it. If the worker runs a task of
// another call meanwhile, it has the whole grace.
const sendGrace = 20 * time.Millisecond

// abort kills the worker to which a batch is still being sent.
func (s *Scheduler) abort(m *member, b *Batch, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.sending != b || m.dead || m.killed {
		return
	}
	s.revokeAll(m)
	for _, other := range m.batches {
		if item, ok := m.current(other); ok && s.elapsed(since) < s.cfg.Grace {
			if sp, _ := other.At(item); !sp.Job.over {
				s.after(sendGrace, func() { s.abort(m, b, since) })
				return
			}
		}
	}
	s.kill(m, because(errNotRead, b.cause()))
}

// stopItem asks an item to stop, takes back what waits behind it, and sets the
// end of its grace.
func (s *Scheduler) stopItem(m *member, st *stopping) {
	if m.stop != nil || m.dead || m.killed {
		return
	}
	m.stop = st
	s.removeIdle(m)
	s.revokeAll(m)
	m.w.Cancel(st.batch, st.item)
	s.wakeSenders(s.queues.items) // they may have waited for this worker
	if st.since.IsZero() {
		st.since = time.Now()
	}
	if st.after == 0 {
		s.enforceLater(m, st)
		return
	}
	st.timer = s.after(min(s.cfg.Grace/10, askStackAfter), func() { s.askStack(m, st) })
}

// noteStopped notes that items up to the given one have ended by themselves.
func (s *Scheduler) noteStopped(m *member, b *Batch, item int) {
	if st := m.stop; st != nil && st.batch == b && st.item <= item {
		s.resume(m)
	}
}

// resume lets a worker have tasks again. What it began just before the revoke
// may have to be stopped too.
func (s *Scheduler) resume(m *member) {
	if m.stop.timer != nil {
		m.stop.timer.Stop()
	}
	m.stop = nil
	s.stopOver(m)
	for _, b := range m.batches {
		if b.timed && b.done < b.limit {
			s.watchTimeouts(m)
		}
	}
	m.wake()
}

// askStack asks for the stack of a late task, within its grace: a task that stops when it is told to has
// had the time to, and any other is killed at the end of the grace, not later.
func (s *Scheduler) askStack(m *member, st *stopping) {
	if !s.isStopping(m, st) {
		return
	}
	stack := m.w.Stack(min(max(s.graceLeft(st), stackWait), mostStackWait))
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.stop != st || m.dead || m.killed {
		return
	}
	st.stack = stack
	s.enforceLater(m, st)
}

// graceLeft returns what is left of an item's grace.
func (s *Scheduler) graceLeft(st *stopping) time.Duration { return s.cfg.Grace - s.elapsed(st.since) }

// enforceLater sets the end of an item's grace.
func (s *Scheduler) enforceLater(m *member, st *stopping) {
	st.timer = s.after(s.graceLeft(st), func() { s.enforce(m, st) })
}

// enforce kills a worker whose item did not stop within its grace.
func (s *Scheduler) enforce(m *member, st *stopping) {
	if !s.isStopping(m, st) {
		return
	}
	m.collect() // it may have ended, and its worker may have been stopped before it reported that
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.stop != st || m.dead || m.killed {
		return
	}
	s.revokeAll(m)
	if b, item, _, ok := m.w.Running(); !ok || b != st.batch || item != st.item {
		if st.batch.done > st.item || st.batch.limit <= st.item {
			s.resume(m)
			return
		}
		if -s.graceLeft(st) < resultTimeout { // its result is on its way
			st.timer = s.after(stallAfter, func() { s.enforce(m, st) })
			return
		}
	}
	why := st.cause()
	if st.after > 0 {
		st.err = s.cfg.TimedOut(st.after, st.stack)
		why = st.err
	}
	s.kill(m, why)
}

const (
	// askStackAfter is how long a late task may take to see that its ctx has ended before its
	// stack is asked for; a tenth of the grace if that is less.
	askStackAfter = 10 * time.Millisecond
	// stackWait is how long the stack is waited for if there is no grace, or little.
	stackWait = 10 * time.Millisecond
	// mostStackWait is the same for a long grace.
	mostStackWait = time.Second
	// resultTimeout is how long the result of an item may be on its way after its worker has
	// said that it does not run any more.
	resultTimeout = 100 * time.Millisecond
)

// isStopping reports whether an item still has to be stopped.
func (s *Scheduler) isStopping(m *member, st *stopping) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return m.stop == st && !m.dead && !m.killed
}

// kill ends a worker at once; why is for its last event. Its tasks are settled when
// it is dead.
func (s *Scheduler) kill(m *member, why error) {
	if m.killed || m.dead {
		return
	}
	m.killed, m.why = true, why
	m.stopDecoding()
	s.removeIdle(m)
	m.w.Kill()
}
