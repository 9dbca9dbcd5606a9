package pool

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/gomultiprocessing/mp/internal/task"
)

// compensation stands in for a worker whose task waits for other tasks of its own
// pool. Such a task does nothing meanwhile. A compensating worker runs in its place,
// and takes only the jobs that it waits for: if every worker ran a task that waits,
// those would never run. No more tasks run than there are workers.
type compensation struct {
	blocked *member // runs the task that waits
	worker  *member // the compensating worker
	jobs    []*Job  // one entry for each wait
}

// Waiter is a call that waits for a job. It is registered from AddWaiter to Remove.
type Waiter struct {
	s    *Scheduler
	j    *Job
	comp *compensation // nil: the waiter is no task of this pool
}

// Yield lets the goroutines of the pool run first, and reports whether done was closed
// meanwhile: a short task needs no more than its turn.
func (s *Scheduler) Yield(done <-chan struct{}) bool {
	if s == nil || s.cfg.Compensate == nil {
		return false
	}
	for range maxYields {
		runtime.Gosched()
		select {
		case <-done:
			return true
		default:
		}
	}
	return false
}

const maxYields = 3

// AddWaiter registers a caller that is about to wait for a job. It calls Remove afterwards.
// Only ctx tells that the caller is a task of the pool: with another ctx than its own, a
// task waits without a compensating worker.
func (s *Scheduler) AddWaiter(ctx context.Context, j *Job) Waiter {
	if s == nil || s.cfg.Compensate == nil {
		return Waiter{}
	}
	place := ctx.Value(task.PlaceKey{}) // without the lock: the ctx may be of a type of the program
	if place == nil {
		return Waiter{}
	}
	w := Waiter{s: s, j: j}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.compensate(s.memberAt(place))
	return w
}

// Remove ends the wait.
func (w *Waiter) Remove() {
	if w.comp == nil {
		return
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.reclaim(w.comp, w.j)
}

// memberAt returns the worker at a place, which runs the task whose ctx names that
// place; nil if no worker of this pool does.
func (s *Scheduler) memberAt(place any) *member {
	for _, m := range s.members {
		if any(m.w) == place {
			return m
		}
	}
	return nil
}

// calledByTask reports whether ctx is that of a task of the pool.
func (s *Scheduler) calledByTask(ctx context.Context) bool {
	if s.cfg.Compensate == nil {
		return false
	}
	place := ctx.Value(task.PlaceKey{})
	if place == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memberAt(place) != nil
}

// compensate has a compensating worker take the job while the task at the blocked worker
// waits for it. The lock is held.
func (w *Waiter) compensate(blocked *member) {
	s, j := w.s, w.j
	if blocked == nil || j.over || j.finished || s.terminated {
		return
	}
	c := blocked.compensation
	if c == nil {
		c = &compensation{blocked: blocked}
		blocked.compensation = c
		s.startCompensating(c)
	}
	c.jobs = append(c.jobs, j)
	j.needExtra().compensations = append(j.compensations, c)
	w.comp = c
	c.worker.wake()
}

// startCompensating starts a compensating worker.
func (s *Scheduler) startCompensating(c *compensation) {
	m := s.newMember(c.blocked.n)
	m.compensates, m.since = c, time.Now()
	m.ready(s.cfg.Compensate(c.blocked.w, m.n, m))
	c.worker = m
	s.members = append(s.members, m)
	go m.serve()
}

// reclaim ends one wait for a job. A compensating worker without any retires.
func (s *Scheduler) reclaim(c *compensation, j *Job) {
	switch i := slices.Index(c.jobs, j); {
	case i == 0: // without moving the others: there may be very many
		c.dropFirst()
	case i > 0:
		c.jobs = slices.Delete(c.jobs, i, i+1)
	}
	if i := slices.Index(j.compensations, c); i >= 0 {
		j.compensations = slices.Delete(j.compensations, i, i+1)
	}
	if len(c.jobs) > 0 {
		return
	}
	if c.blocked.compensation == c {
		c.blocked.compensation = nil
	}
	s.retire(c.worker, nil)
}

// dropFirst takes the first job off the list.
func (c *compensation) dropFirst() {
	c.jobs[0] = nil
	c.jobs = c.jobs[1:]
}

// endCompensation ends the compensation for a worker that is dead or given up. Its task may
// wait on, but another worker has its place.
func (s *Scheduler) endCompensation(m *member) {
	c := m.compensation
	if c == nil {
		return
	}
	for _, j := range c.jobs {
		if i := slices.Index(j.compensations, c); i >= 0 {
			j.compensations = slices.Delete(j.compensations, i, i+1)
		}
	}
	c.jobs, m.compensation = nil, nil
	s.retire(c.worker, nil)
}

// compensatingEnded sees to the successor of a compensating worker, while tasks still wait.
func (s *Scheduler) compensatingEnded(m *member) {
	c := m.compensates
	if c.worker == m && len(c.jobs) > 0 && !s.terminated {
		s.startCompensating(c)
		c.worker.wake()
	}
}

// topFor returns the job that a worker takes tasks of next; nil if there is none.
func (s *Scheduler) topFor(m *member) *Job {
	c := m.compensates
	if c == nil {
		return s.queues.top()
	}
	for len(c.jobs) > 0 && c.jobs[0].over { // not to pass them again and again
		c.jobs[0].compensations = nil
		c.dropFirst()
	}
	for _, j := range c.jobs {
		if j.pin() != nil {
			continue // only its own worker, or the one that compensates for that, may take it
		}
		if j.unsent == 0 && !j.over {
			s.revokeJob(j)
		}
		if j.unsent > 0 {
			return j
		}
	}
	return nil
}

// revokeJob takes back all tasks of a job that wait at workers: what runs in front of them
// may wait for them.
func (s *Scheduler) revokeJob(j *Job) {
	n := 0
	for _, m := range s.members {
		n += s.revokeOf(m, j)
	}
	if n > 0 {
		s.wakeSenders(n)
	}
}

// revokeOf takes back the tasks of a job that wait at a worker.
func (s *Scheduler) revokeOf(m *member, j *Job) (n int) {
	for i := len(m.batches) - 1; i >= 0; i-- {
		if b := m.batches[i]; b.holds(j) {
			n += s.revoke(m, b, b.done)
		}
	}
	return n
}

// wakeCompensating has compensating workers look again. They are on no list of idle
// workers, and what kept them from taking tasks is over.
func (s *Scheduler) wakeCompensating() {
	for _, m := range s.members {
		if m.compensates != nil {
			m.wake()
		}
	}
}

// enlist puts a job with tasks to send into its run queue, and wakes the compensating
// workers that wait for it.
func (s *Scheduler) enlist(j *Job, back bool) {
	s.queues.push(j, back)
	if j.extra == nil {
		return
	}
	for _, c := range j.compensations {
		c.worker.wake()
	}
}
