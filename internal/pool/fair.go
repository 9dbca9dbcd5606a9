package pool

import "time"

// Jobs of equal priority share the workers fairly, whatever they are: one task or a
// million, a narrow window or a wide one, small chunks or large ones. It is fair queueing.
// Each job has a virtual time: the worker time that its tasks were given. The job with the
// least is served next. The virtual time of the run queue grows as tasks end, by the time that they
// have taken divided by the number of jobs that share it: as fast as that of each job would if
// all were served at once. A new job, or one that returns after a pause, starts from there: it
// neither waits until the others have had their share of the past nor gets such a share.
//
// How long a task takes is known when it has ended. Until then its job is charged what earlier
// tasks have taken.

const (
	unknownCost = int64(time.Millisecond) // is charged for all tasks of a batch together, of a function that was not measured
	maxLag      = 50 * time.Millisecond   // of its missed share that a job with tasks at workers may catch up with
	shareFor    = 100 * time.Millisecond  // how long a run queue still counts as shared
)

// cost returns what a task is charged, in nanoseconds, when it is sent with a number of others.
func (e *estimate) cost(others int) int64 {
	if e.mean == 0 {
		return max(1, unknownCost/int64(others+1))
	}
	return int64(e.mean)
}

// charge charges a job for worker time; a negative cost gives some back.
func (r *runQueues) charge(j *Job, cost int64) {
	j.virtual += cost
	if j.place != notListed {
		r.lookup(j.Priority).fix(j)
	}
}

// advance moves the queue's virtual time on. It never goes back: a later job would be in
// front of earlier ones.
func (q *runQueue) advance(cost int64) {
	q.fraction += float64(cost) / float64(max(q.active, 1))
	if q.fraction >= 1 {
		whole := int64(q.fraction)
		q.virtualTime += whole
		q.fraction -= float64(whole)
	}
}

// catchUp moves the queue's virtual time on to that of the waiting jobs, less what they were
// charged in advance, if all of them are ahead of it: some of the jobs that shared the time did not
// use their share.
func (q *runQueue) catchUp() {
	if q.jobs > 0 {
		j := q.top()
		q.virtualTime = max(q.virtualTime, j.virtual-j.charged)
	}
}

// chargeMeasured corrects what the jobs of a batch were charged, when it has ended.
func (s *Scheduler) chargeMeasured(b *Batch, busy time.Duration) {
	if b.done == 0 {
		return
	}
	if q := s.queues.lookup(b.priority); q != nil {
		q.advance(int64(busy))
	}
	off := max(1, int64(busy)/int64(b.done)) - b.cost
	if off == 0 {
		return
	}
	left, n := b.done, 0
	for i := 0; i < len(b.Spans) && left > 0; i++ {
		sp := &b.Spans[i]
		n += min(sp.N, left)
		left -= sp.N
		if i+1 < len(b.Spans) && left > 0 && b.Spans[i+1].Job == sp.Job {
			continue // all of a job's at once
		}
		if !sp.Job.over {
			s.queues.charge(sp.Job, int64(n)*off)
		}
		n = 0
	}
}

// chargeDeath charges a job for the time of a worker that died while it ran one of its tasks.
func (s *Scheduler) chargeDeath(j *Job, b *Batch, spent time.Duration) {
	if q := s.queues.lookup(b.priority); q != nil {
		q.advance(int64(spent))
	}
	s.queues.charge(j, int64(spent)-b.cost)
}

// notInFlight counts tasks of a batch that are not at its worker any more.
func (s *Scheduler) notInFlight(j *Job, n int, b *Batch) {
	j.inflight -= int32(n)
	j.charged -= int64(n) * b.cost
	s.queues.updateActive(j)
}

// updateActive notes whether a job has tasks that wait or are at workers.
func (r *runQueues) updateActive(j *Job) {
	active := j.place != notListed || j.inflight > 0
	if active == j.active {
		return
	}
	j.active = active
	q := r.queue(j.Priority)
	if active {
		q.active++
		return
	}
	if q.active--; q.active == 1 {
		q.shared = time.Now()
	}
	if q.active == 0 && len(r.queues) > maxQueues { // priorities may be as many as tasks
		r.forget(q)
	}
}

// isShared reports whether several jobs share the queue, or did a moment ago.
func (q *runQueue) isShared() bool {
	return q.active > 1 || !q.shared.IsZero() && time.Since(q.shared) < shareFor
}

// depth returns how many tasks of one function and priority a worker may hold: fewer where other jobs
// may want the worker.
func (s *Scheduler) depth(p *estimate, priority int) int {
	if q := s.queues.lookup(priority); q != nil && q.isShared() {
		return p.depth(prefetchWorkShared)
	}
	return p.depth(prefetchWork)
}

// depthOf returns how many tasks like those it was sent last a worker may hold.
func (s *Scheduler) depthOf(m *member) int {
	b := m.batches[len(m.batches)-1]
	return min(s.depth(b.estimate, b.priority), m.capacity)
}

// startSharing takes back, when a run queue becomes shared, what was sent ahead while it was not.
func (s *Scheduler) startSharing(j *Job) {
	q := s.queues.lookup(j.Priority)
	if q == nil || q.active != 2 || !q.shared.IsZero() && time.Since(q.shared) < shareFor {
		return
	}
	q.shared = time.Now()
	for _, m := range s.members {
		if m.outstanding > 1 && m.compensates == nil {
			s.trim(m, int64(prefetchWorkShared))
		}
	}
}

// trim takes back what a worker has beyond an amount of work, in nanoseconds.
func (s *Scheduler) trim(m *member, work int64) {
	var keep [maxBatches]int
	for i, b := range m.batches {
		each := b.estimate.cost(0)
		n := int64(b.limit - b.done)
		fits := min(n, max(work, 0)/each)
		if i == 0 {
			fits = max(fits, min(n, 1))
		}
		keep[i] = b.done + int(fits)
		work -= n * each
	}
	for i := len(m.batches) - 1; i >= 0; i-- {
		s.revoke(m, m.batches[i], keep[i])
	}
}

// otherJobsWait reports whether a job waits that a worker has no tasks of.
func (s *Scheduler) otherJobsWait(m *member) bool {
	top := s.queues.top()
	if top == nil || m.compensates != nil {
		return false
	}
	waiting := s.queues.queue(top.Priority).jobs
	var last *Job
	for _, b := range m.batches {
		if b.priority > top.Priority {
			return false
		}
		for i := range b.Spans {
			if j := b.Spans[i].Job; j != last && j.place != notListed && j.Priority == top.Priority {
				waiting--
				last = j
			}
		}
	}
	return waiting > 0
}
