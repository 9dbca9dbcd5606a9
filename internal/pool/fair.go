package pool

import "time"

// Jobs of equal priority share the workers fairly, whatever they are: one task or a
// million, a narrow window or a wide one, small chunks or large ones. It is fair queueing.
// Each job has a virtual time: the time of workers that its tasks were given. The job with the
// least is served next. The virtual time of the level goes on as tasks end, by the time that they
// have taken divided by the number of jobs that share it: as fast as that of each job would, were
// they all served at once. A job that comes, or comes back after a rest, starts from there: it
// neither waits until the others have had their share of the past nor has one itself.
//
// How long tasks take is known when they have ended. Until then they are charged what those
// before them have taken.

const (
	unknownCost = int64(time.Millisecond) // is charged for tasks, in all, of a function that was not measured
	maxLag      = 50 * time.Millisecond   // of its share that a job with tasks at workers may catch up with
	shareFor    = 100 * time.Millisecond  // a level counts as shared so long after it was
)

// cost is what a task is charged when it is sent with so many others, in nanoseconds.
func (p *estimate) cost(others int) int64 {
	if p.mean == 0 {
		return max(1, unknownCost/int64(others+1))
	}
	return int64(p.mean)
}

// charge charges a job for time of workers, or less than it was.
func (r *runQueues) charge(j *Job, cost int64) {
	j.virtual += cost
	if j.place != notListed {
		r.lookup(j.Priority).fix(j)
	}
}

// advance has the level's virtual time go on. It never goes back: who came later would be in
// front.
func (l *runQueue) advance(cost int64) {
	l.fraction += float64(cost) / float64(max(l.active, 1))
	if l.fraction >= 1 {
		whole := int64(l.fraction)
		l.virtualTime += whole
		l.fraction -= float64(whole)
	}
}

// catchUp has the level's virtual time be that of the jobs that wait, but for what they were
// charged in advance, when they are all ahead of it: some of those that shared in it have not
// used their share.
func (l *runQueue) catchUp() {
	if l.jobs > 0 {
		j := l.top()
		l.virtualTime = max(l.virtualTime, j.virtual-j.charged)
	}
}

// measured corrects what the jobs of a batch were charged, when it has ended.
func (s *Scheduler) chargeMeasured(b *Batch, busy time.Duration) {
	if b.done == 0 {
		return
	}
	if l := s.queues.lookup(b.priority); l != nil {
		l.advance(int64(busy))
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

// wasted charges a job for the time of a worker that died while it ran one of its tasks.
func (s *Scheduler) chargeDeath(j *Job, b *Batch, spent time.Duration) {
	if l := s.queues.lookup(b.priority); l != nil {
		l.advance(int64(spent))
	}
	s.queues.charge(j, int64(spent)-b.cost)
}

// landed notes that tasks of a batch are not at its worker any more.
func (s *Scheduler) notInFlight(j *Job, n int, b *Batch) {
	j.inflight -= int32(n)
	j.charged -= int64(n) * b.cost
	s.queues.updateActive(j)
}

// note notes whether a job has tasks that wait or that are at workers.
func (r *runQueues) updateActive(j *Job) {
	active := j.place != notListed || j.inflight > 0
	if active == j.active {
		return
	}
	j.active = active
	l := r.queue(j.Priority)
	if active {
		l.active++
		return
	}
	if l.active--; l.active == 1 {
		l.shared = time.Now()
	}
	if l.active == 0 && len(r.queues) > maxQueues { // priorities may be as many as tasks
		r.forget(l)
	}
}

// isShared says whether several jobs share a level, or did a moment ago.
func (l *runQueue) isShared() bool {
	return l.active > 1 || !l.shared.IsZero() && time.Since(l.shared) < shareFor
}

// depth is how many tasks of one pace and priority a worker may hold. Where others may want the
// worker it is not given away for long.
func (s *Scheduler) depth(p *estimate, priority int) int {
	if l := s.queues.lookup(priority); l != nil && l.isShared() {
		return p.depth(prefetchWorkShared)
	}
	return p.depth(prefetchWork)
}

// depthOf is how many tasks a worker may hold of what it was sent last.
func (s *Scheduler) depthOf(m *member) int {
	b := m.batches[len(m.batches)-1]
	return min(s.depth(b.estimate, b.priority), m.capacity)
}

// share calls back, when a level comes to be shared, what was sent ahead as long as it was not.
func (s *Scheduler) startSharing(j *Job) {
	l := s.queues.lookup(j.Priority)
	if l == nil || l.active != 2 || !l.shared.IsZero() && time.Since(l.shared) < shareFor {
		return
	}
	l.shared = time.Now()
	for _, m := range s.members {
		if m.outstanding > 1 && m.compensates == nil {
			s.trim(m, int64(prefetchWorkShared))
		}
	}
}

// trim calls back what a worker has beyond so much work, in nanoseconds.
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

// othersWait says whether a job waits of which a worker has no tasks.
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
