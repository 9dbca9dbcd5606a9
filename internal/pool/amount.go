package pool

// How many tasks a worker is sent at once: as many as keep it busy for the time of a prefetch by
// what is known of the function, and no more than its share of what waits.

// amount is how many tasks a worker may be sent now.
type amount struct {
	n      int  // by their cost
	quota  int  // at most, whatever they cost: a chunk may be larger than n
	shared bool // other jobs want the worker too
}

// amountFor returns how many tasks like those of a job a worker may be sent. n is 0 if it has to
// wait.
func (s *Scheduler) amountFor(m *member, j *Job) amount {
	a := amount{quota: s.quota(m), shared: s.queues.queue(j.Priority).isShared()}
	e := j.estimate
	if a.n = e.depth(prefetchWork); a.shared {
		a.n = e.depth(prefetchWorkShared)
	}
	if j.Chunk > 0 && e.mean == 0 {
		a.n = j.Chunk
	}
	if m.outstanding > 0 && !s.mayPrefetch(m, j, a.n) {
		return amount{}
	}
	useful := s.usefulWorkers(j, m.caps.Sleeps)
	share := max(1, (s.queues.items+2*useful-1)/(2*useful)) // leave some to the others
	a.n = min(a.n-m.outstanding, share, a.quota)
	if j.Moves {
		a.n, a.quota = min(a.n, 1), min(a.quota, 1)
	}
	return a
}

// mayPrefetch reports whether a worker that is busy may be sent tasks of a job, of which it may hold
// depth in all.
func (s *Scheduler) mayPrefetch(m *member, j *Job, depth int) bool {
	switch e := j.estimate; {
	case m.outstanding > depth/2 || m.batches[len(m.batches)-1].estimate != e:
		return false // it has enough for now, or tasks that say nothing of how long these would wait
	case m.slow > 0 && e.isShort():
		return false // what it has may take long
	case j.Moves:
		return false // it could not be taken back, nor could what is sent behind it
	}
	return true
}

// quota is how many tasks a worker may be sent at once, whatever they are.
func (s *Scheduler) quota(m *member) int {
	n := min(maxItems, m.capacity-m.outstanding, s.events.room())
	if q := s.cfg.TasksPerWorker; q > 0 {
		n = min(n, q-m.sent)
	}
	return n
}

// of returns how many tasks of a job are put into a batch, which has some already. left is what is left
// of n. Chunks stay whole, unless other jobs want the worker.
func (a amount) of(j *Job, b *Batch, left int) int {
	if j.Chunk == 0 {
		return left
	}
	if b.items > 0 && j.Chunk > left {
		return 0
	}
	n := min(j.Chunk, a.quota-b.items)
	if a.shared {
		n = min(n, left)
	}
	return n
}
