package pool

import (
	"context"
	"fmt"
	"slices"
)

// Submit takes a job. With MaxQueued it waits for room until ctx ends, unless ctx is that of a task of the
// pool: such a wait might never end. With another ctx a task may wait for room that only its own end makes. An error means
// that the job was not taken.
func (s *Scheduler) Submit(ctx context.Context, j *Job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.NoWait {
		return s.SubmitNow(j)
	}
	s.mu.Lock()
	if s.full() {
		s.mu.Unlock()
		if s.calledByTask(ctx) { // it would wait for room that only its own end makes
			return s.SubmitNow(j)
		}
		s.mu.Lock()
	}
	for s.full() {
		if err := s.awaitRoom(ctx); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	return s.accept(j)
}

// SubmitNow is Submit for a caller that waits for the outcome anyway: it does not
// wait for room.
func (s *Scheduler) SubmitNow(j *Job) error {
	s.mu.Lock()
	return s.accept(j)
}

// accept takes a job, unless there is a reason not to. It releases the lock.
func (s *Scheduler) accept(j *Job) error {
	if err := s.refusal(); err != nil {
		s.mu.Unlock()
		return err
	}
	if err := s.refuseNoWait(j); err != nil {
		s.mu.Unlock()
		return err
	}
	s.admit(j)
	finish := s.checkFinished(j)
	s.mu.Unlock()
	if finish {
		s.finish(j)
	}
	return nil
}

// full reports whether a Submit has to wait.
func (s *Scheduler) full() bool {
	return s.cfg.MaxQueued > 0 && s.refusal() == nil && s.queued() >= s.cfg.MaxQueued
}

// awaitRoom waits, without the lock, until fewer tasks may be queued.
func (s *Scheduler) awaitRoom(ctx context.Context) error {
	room := make(chan struct{})
	s.submitters = append(s.submitters, room)
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.submitters, room); i >= 0 {
		s.submitters = slices.Delete(s.submitters, i, i+1)
	} else {
		s.wakeSubmitters() // the room was for this call: the next may have it
	}
	return ctx.Err()
}

// refusal returns why jobs are not taken; nil if they are.
func (s *Scheduler) refusal() error {
	switch {
	case s.terminated:
		return ErrTerminated
	case s.broken != nil:
		return s.broken
	case s.closed:
		return ErrClosed
	}
	return nil
}

// admit notes a job and enqueues its tasks.
func (s *Scheduler) admit(j *Job) {
	j.s = s
	if j.Options == nil {
		j.Options = &noOptions
	}
	j.assignIDs()
	j.sealed = !j.Lazy
	j.estimate = s.estimateOf(j.Func)
	s.open.append(j)
	s.ranked = s.ranked || j.Priority != 0
	s.enqueue(j, j.Items)
}

// Extend adds n tasks to a lazy job.
func (s *Scheduler) Extend(j *Job, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.over || j.sealed {
		return
	}
	j.Items += n
	j.extendIDs()
	s.enqueue(j, n)
}

// Seal notes that no more tasks will come to a lazy job.
func (s *Scheduler) Seal(j *Job) {
	s.mu.Lock()
	j.sealed = true
	finish := j.s != nil && s.checkFinished(j)
	s.mu.Unlock()
	if finish {
		s.finish(j)
	}
}

// enqueue has n new tasks of a job wait for workers.
func (s *Scheduler) enqueue(j *Job, n int) {
	if n == 0 {
		return
	}
	j.unsettled += n
	j.unsent += n
	s.unsettled += n
	s.queues.items += n
	s.enlist(j, false)
	s.startSharing(j)
	s.events.add(entry{kind: TaskQueued, job: j, first: j.Items - n, n: n, attempt: 1})
	if s.ranked {
		s.preempt(j.Priority)
	}
	s.wakeSenders(n)
}

// wakeSubmitters wakes as many of the waiting calls of Submit as have room now,
// and all of them if the pool takes no jobs any more.
func (s *Scheduler) wakeSubmitters() {
	if len(s.submitters) == 0 {
		return
	}
	n := len(s.submitters)
	if s.refusal() == nil {
		n = min(n, max(0, s.cfg.MaxQueued-s.queued()))
	}
	for _, room := range s.submitters[:n] {
		close(room)
	}
	s.submitters = slices.Delete(s.submitters, 0, n)
}

// refuseNoWait returns the error of a NoWait job that has tasks beyond MaxQueued; nil if there is room.
func (s *Scheduler) refuseNoWait(j *Job) error {
	if !j.NoWait || s.cfg.MaxQueued <= 0 {
		return nil
	}
	busy := 0
	for _, m := range s.members {
		if m.outstanding > 0 && m.compensates == nil && m.serving() {
			busy++
		}
	}
	queued := s.queued()
	if queued+max(1, j.Items)-max(0, s.want-busy) <= s.cfg.MaxQueued {
		return nil
	}
	return fmt.Errorf("%w: %d tasks are queued, MaxQueued is %d, and the call has the option NoWait", ErrFull, queued, s.cfg.MaxQueued)
}
