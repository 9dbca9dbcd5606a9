package pool

import (
	"errors"
	"fmt"
	"slices"
)

// A pinned job has one task, which only one worker may run. It waits in a list of that
// worker, and is sent before anything else as soon as the worker has nothing to do.

// errGone is for a pinned task whose worker has ended.
var errGone = errors.New("mp: the worker ended before it came to the task")

// pin returns the only worker that may run a job; nil if any may.
func (j *Job) pin() *member {
	if j.extra == nil {
		return nil
	}
	return j.worker
}

// SubmitEach takes a job of one task for each worker that exists or is being started, by the worker's
// number. If jobs has no job for some of them, it takes nothing and returns the numbers of these workers. It does not
// take jobs for workers that do not exist any more.
func (s *Scheduler) SubmitEach(jobs map[int]*Job) (missing []int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return nil, err
	}
	var at []*member
	for _, m := range s.members {
		if m.compensates == nil && m.serving() {
			at = append(at, m)
		}
	}
	for m := range s.starts {
		at = append(at, m)
	}
	for _, m := range at {
		if jobs[m.n] == nil {
			missing = append(missing, m.n)
		}
	}
	if len(missing) > 0 {
		return missing, nil
	}
	for _, m := range at {
		if j := jobs[m.n]; j.s == nil {
			s.submitTo(m, j)
		}
	}
	return nil, nil
}

// submitTo takes a job for one worker.
func (s *Scheduler) submitTo(m *member, j *Job) {
	j.needExtra().worker = m
	j.s = s
	if j.Options == nil {
		j.Options = &noOptions
	}
	j.assignIDs()
	j.sealed = true
	j.estimate = s.estimateOf(j.Func)
	s.open.append(j)
	j.unsettled, j.unsent = 1, 1
	s.unsettled++
	s.events.add(entry{kind: TaskQueued, job: j, n: 1, attempt: 1})
	m.pinned = append(m.pinned, j)
	if m.w == nil {
		return // it is being started
	}
	s.removeIdle(m)
	s.revokeAll(m)
	s.wakePinned(m)
}

// Taken reports whether the scheduler has taken a job.
func (s *Scheduler) Taken(j *Job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.s != nil
}

// wakePinned has a worker look at its pinned jobs, and the worker that compensates for it, if its task waits.
func (s *Scheduler) wakePinned(m *member) {
	m.parked = false
	m.wake()
	if m.compensation != nil {
		m.compensation.worker.wake()
	}
}

// pinOwner is whose own list a worker works off.
func (m *member) pinOwner() *member {
	if m.compensates != nil {
		return m.compensates.blocked
	}
	return m
}

// wakeAllPinned has all workers look that have something of their own.
func (s *Scheduler) wakeAllPinned() {
	for _, m := range s.members {
		if len(m.pinned) > 0 {
			s.wakePinned(m)
		}
	}
}

// takePinned takes a pinned job of the worker. hold means that there is one, but that the worker is
// busy: it gets nothing else meanwhile.
func (s *Scheduler) takePinned(m *member) (b *Batch, hold bool) {
	o := m.pinOwner()
	if len(o.pinned) == 0 || o.dead || o.killed {
		return nil, false
	}
	if m.outstanding > 0 || m.stop != nil || m.unresponsive || m.closing || m.killed || m.dead || s.events.full() {
		return nil, true
	}
	j := o.pinned[0]
	o.unpin(j)
	b = &Batch{estimate: j.estimate, priority: j.Priority, Report: s.events.perTask, Moves: j.Moves}
	b.Spans = b.one[:0]
	b.add(j.cut(1))
	j.inflight++
	s.removeIdle(m)
	s.send(m, b)
	return b, false
}

// unpin takes a job off the worker's own list.
func (m *member) unpin(j *Job) {
	if i := slices.Index(m.pinned, j); i >= 0 {
		m.pinned = slices.Delete(m.pinned, i, i+1)
	}
}

// failPinned settles what was for a worker that is gone, and was not begun.
func (s *Scheduler) failPinned(m *member, died error, due []delivery) []delivery {
	why := errGone
	if died != nil {
		why = fmt.Errorf("%w: %w", errGone, died)
	}
	for _, j := range slices.Clone(m.pinned) {
		if j.over {
			m.unpin(j)
			continue
		}
		for _, sp := range s.takeWaiting(j) {
			due = s.failWaiting(j, sp, why, due)
		}
	}
	return due
}
