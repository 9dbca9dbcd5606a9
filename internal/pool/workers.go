package pool

import (
	"fmt"
	"time"
)

// startAll starts the first workers concurrently and waits for all of them.
func (s *Scheduler) startAll() error {
	errs := make(chan error, s.want)
	for range s.want {
		s.mu.Lock()
		s.starting++
		n := s.takeNumber()
		s.mu.Unlock()
		go func() { errs <- s.start(n) }()
	}
	var first error
	for range s.want {
		if err := <-errs; err != nil && first == nil {
			first = err
			s.stopStarts()
		}
	}
	return first
}

// takeNumber takes the lowest free worker number.
func (s *Scheduler) takeNumber() int {
	for i, taken := range s.numbers {
		if !taken {
			s.numbers[i] = true
			return i + 1
		}
	}
	s.numbers = append(s.numbers, true)
	return len(s.numbers)
}

// workerCount returns the number of workers that can be given tasks, now or after their start.
func (s *Scheduler) workerCount() int {
	n := s.starting
	for _, m := range s.members {
		if m.serving() && m.compensates == nil {
			n++
		}
	}
	return n
}

// startMissing starts workers if some are missing and needed now.
func (s *Scheduler) startMissing() {
	if s.terminated || s.broken != nil || s.backingOff || s.closed && s.unsettled == 0 || s.events.full() {
		return
	}
	missing := s.want - s.workerCount()
	if s.cfg.IdleTimeout > 0 || s.closed {
		missing = min(missing, s.queues.items-len(s.idle)-s.starting)
	}
	for range missing {
		s.starting++
		n := s.takeNumber()
		go func() {
			err := s.start(n)
			if err == nil {
				return
			}
			s.mu.Lock()
			dropped := s.startFailed(err)
			s.checkEnded()
			s.mu.Unlock()
			s.finish(dropped...)
		}()
	}
}

// start starts one worker. It is called with the worker counted in s.hiring.
func (s *Scheduler) start(n int) error {
	m := s.newMember(n)
	s.mu.Lock()
	m.generation = s.generation
	s.starts[m] = true
	s.events.add(entry{kind: WorkerStarted, first: -1, n: 1, worker: n})
	s.mu.Unlock()
	w, err := s.cfg.Start(s.startCtx, n, m)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starting--
	delete(s.starts, m)
	if err == nil {
		err = m.startErr
	}
	if err != nil {
		s.numbers[n-1] = false
		kind := WorkerDied
		if s.startCtx.Err() != nil {
			kind, err = WorkerRecycled, s.over()
		}
		s.events.add(entry{kind: kind, first: -1, n: 1, worker: n, err: err})
		if due := s.failPinned(m, err, nil); due != nil {
			go s.deliver(due) // without the lock
		}
		s.checkRecycled()
		return err
	}
	m.ready(w)
	m.since = time.Now()
	m.collector, _ = w.(Collector)
	s.members = append(s.members, m)
	s.events.add(entry{kind: WorkerReady, first: -1, n: 1, worker: n, pid: m.pid})
	go m.serve()
	if s.terminated || s.broken != nil {
		s.kill(m, s.over())
		return nil
	}
	s.transient = 0
	m.wake()
	if s.workerCount() > s.want {
		s.retire(m, ErrResized)
	} else if m.generation < s.generation {
		s.recycle(m)
	}
	s.checkRecycled()
	s.windDown()
	return nil
}

// backOff keeps workers from being started for a while.
func (s *Scheduler) backOff(d time.Duration) {
	if s.backingOff {
		return
	}
	s.backingOff = true
	time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.backingOff = false
		s.startMissing()
	})
}

// cancelAll cancels every job and returns those that are finished by that.
func (s *Scheduler) cancelAll(cause error) (finished []*Job) {
	for j, next := s.open.first, (*Job)(nil); j != nil; j = next {
		next = s.open.next(j)
		s.cancelJob(j, cause)
		if s.checkFinished(j) {
			finished = append(finished, j)
		}
	}
	return finished
}

// Resize changes the number of workers. New ones are started at once; surplus
// ones end when they have done what they run.
func (s *Scheduler) Resize(n int) error {
	if n < 1 {
		return fmt.Errorf("mp: Resize(%d): a pool needs at least one worker", n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return err
	}
	s.want = n
	for over := s.workerCount() - n; over > 0; over-- {
		m := s.surplus()
		if m == nil {
			break // the rest is being started, and ends as soon as it is ready
		}
		s.retire(m, ErrResized)
	}
	s.startMissing()
	s.wakeSenders(s.queues.items)
	s.wakeSubmitters()
	s.checkRecycled()
	return nil
}

// Workers returns the number of workers that there should be.
func (s *Scheduler) Workers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.want
}

// surplus returns the worker that is needed least: an idle one if there is one.
func (s *Scheduler) surplus() *member {
	for _, m := range s.members {
		if m.unresponsive && m.serving() && m.compensates == nil {
			return m
		}
	}
	if len(s.idle) > 0 {
		return s.idle[0]
	}
	for i := len(s.members) - 1; i >= 0; i-- {
		if m := s.members[i]; m.serving() && m.compensates == nil {
			return m
		}
	}
	return nil
}

// usedUp reports whether a worker is to be replaced: it has had TasksPerWorker tasks, was recycled, or has grown too large.
func (s *Scheduler) usedUp(m *member) bool {
	return s.cfg.TasksPerWorker > 0 && m.sent >= s.cfg.TasksPerWorker || m.recycle || s.bloated(m)
}

// retire gives a worker no more tasks and ends it when it has none; why is for its last event.
func (s *Scheduler) retire(m *member, why error) {
	m.retiring = true
	m.noteWhy(why)
	s.removeIdle(m)
	s.revokeAll(m)
	s.wakeSenders(s.queues.items) // they may have waited for this one
	m.wake()
}

// closeWorker ends a worker that has nothing to do. One that does not end within
// the grace is killed.
func (s *Scheduler) closeWorker(m *member, why error) {
	if m.closing || m.killed || m.dead {
		return
	}
	m.closing = true
	m.noteWhy(why)
	s.removeIdle(m)
	m.w.Close()
	grace := max(s.cfg.Grace, time.Second)
	if s.cfg.ExitGrace > 0 {
		grace = max(grace, s.cfg.ExitGrace+time.Second) // the transport enforces ExitGrace itself
	}
	m.closeTimer = s.after(grace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kill(m, fmt.Errorf("%w: it was told to end and did not within %v", m.why, grace))
	})
	s.startMissing()
}

// startIdleTimer has a worker end that stays idle for IdleTimeout.
func (s *Scheduler) startIdleTimer(m *member) {
	if s.cfg.IdleTimeout <= 0 {
		return
	}
	m.idleSince = time.Now()
	if m.idleTimer == nil {
		m.idleTimer = time.AfterFunc(s.cfg.IdleTimeout, func() { s.closeIdle(m) })
	}
}

// closeIdle ends a worker that has been idle for IdleTimeout, or sets the timer to when that will be:
// a timer for each short idle time would cost more than that.
func (s *Scheduler) closeIdle(m *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.idleTimer = nil
	if !m.inIdle || m.outstanding > 0 {
		return // the next idle time starts the timer
	}
	if left := s.cfg.IdleTimeout - s.elapsed(m.idleSince); left > 0 {
		m.idleTimer = time.AfterFunc(left, func() { s.closeIdle(m) })
		return
	}
	s.closeWorker(m, ErrIdle)
}
