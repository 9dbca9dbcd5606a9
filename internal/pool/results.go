package pool

import (
	"slices"
	"time"
)

// delivery is an outcome that is delivered as soon as the lock is released.
type delivery struct {
	job    *Job
	out    Outcome
	finish bool // it was the job's last
}

// Started implements Sink.
func (m *member) Started(b *Batch, item int) {
	s := m.s
	s.mu.Lock()
	defer s.mu.Unlock()
	m.noteBegun(b, item)
}

// noteBegun adds the events for the begin of all items up to the given one, once for each.
func (m *member) noteBegun(b *Batch, item int) {
	if !b.Report {
		return
	}
	for ; b.started <= item; b.started++ {
		sp, at := b.At(b.started)
		if sp == nil {
			return
		}
		if !sp.Job.over {
			m.s.events.add(entry{kind: TaskStarted, job: sp.Job, first: sp.First + at, n: 1, attempt: sp.Attempt, worker: m.n, pid: m.pid})
		}
	}
}

// Results implements Sink.
func (m *member) Results(rs []Result) {
	s := m.s
	s.mu.Lock()
	due := m.scratch[:0]
	for i := range rs {
		due = s.result(m, &rs[i], due)
	}
	s.noteReport(m)
	s.mu.Unlock()
	s.deliver(m.offloadUserCode(due))
	clear(due)
	m.scratch = due[:0]
}

// noteReport is called whenever a worker reports something: it lives, and may have room for more tasks.
func (s *Scheduler) noteReport(m *member) {
	m.unresponsive, m.reported, s.startFailures = false, true, startFailures{}
	m.headSince = time.Now()
	if m.parked {
		switch {
		case len(m.pinOwner().pinned) > 0:
			if m.outstanding == 0 {
				m.parked = false
				m.wake()
			}
		case s.queues.items == 0 || !m.accepts():
			s.nothingToSend(m)
		case m.outstanding == 0 && s.enoughAwake(workPerAwake):
			s.nothingToSend(m)
			s.wakeAwake()
		case m.outstanding == 0 || 2*m.outstanding <= s.depthOf(m):
			m.parked = false
			m.wake()
		}
	}
	if !m.parked && m.outstanding == 0 && !m.dead { // its sender is about to look: no other has to be woken
		s.markWaking(m)
	}
	s.wakeSubmitters()
}

// result settles the items of one Result.
func (s *Scheduler) result(m *member, r *Result, due []delivery) []delivery {
	b := r.Batch
	if r.Count < 1 || r.Count > b.limit-b.done {
		s.kill(m, errBadReport)
		r.drop()
		return due
	}
	last := b.done + r.Count - 1
	if b.Report {
		m.noteBegun(b, last)
	}
	sp, at := b.advance(r.Count)
	s.addOutstanding(m, b, -r.Count)
	m.tasks += r.Count
	s.noteStopped(m, b, last)
	if !m.caps.Revocable && m.stop == nil {
		s.stopOver(m) // the item that it begins now may be of a job that is over, and could not be taken back
	}
	j := sp.Job
	s.notInFlight(j, r.Count, b)
	if j.extra != nil {
		j.readDeaths = 0
	}
	if j.over {
		r.drop()
		return due
	}
	out := Outcome{
		First: sp.First + at, Count: r.Count, Payload: r.Payload, Owned: r.Owned, Value: r.Value, Attached: r.Attached,
		Err: r.Err, Attempts: sp.Attempt, PID: m.pid, ID: j.taskID(sp.First + at), Measure: r.Measure,
	}
	if r.Err != nil {
		return s.failed(j, out, m.n, r.Final || b.Moved.Load(), due)
	}
	s.counts.done += r.Count
	s.events.add(entry{kind: TaskDone, job: j, first: out.First, n: r.Count, attempt: sp.Attempt, worker: m.n, pid: m.pid}.took(r.Measure))
	return s.settle(j, out, due)
}

// drop drops what came with a result that is not used.
func (r *Result) drop() {
	if r.Attached != nil {
		r.Attached.Drop()
	}
}

// settle takes an outcome as final.
func (s *Scheduler) settle(j *Job, out Outcome, due []delivery) []delivery {
	j.unsettled -= out.Count
	s.unsettled -= out.Count
	j.delivering += int32(out.Count)
	return append(due, delivery{job: j, out: out})
}

// failed retries a failed task, or settles it.
func (s *Scheduler) failed(j *Job, out Outcome, worker int, final bool, due []delivery) []delivery {
	if !final && !s.draining && out.Attempts <= j.Retries {
		s.counts.retried++
		s.events.add(entry{kind: TaskRetried, job: j, first: out.First, n: 1, attempt: out.Attempts, worker: worker, pid: out.PID, err: out.Err}.took(out.Measure))
		s.retryLater(j, out.First, out.Attempts)
		return due
	}
	s.counts.failed++
	s.events.add(entry{kind: TaskFailed, job: j, first: out.First, n: 1, attempt: out.Attempts, worker: worker, pid: out.PID, err: out.Err}.took(out.Measure))
	due = s.settle(j, out, due)
	if j.FailFast && (j.unsettled > 0 || !j.sealed) {
		s.cancelJob(j, ErrCancelled)
	}
	return due
}

// deliver hands outcomes to their jobs and finishes the jobs that have all. It
// is called without the lock.
func (s *Scheduler) deliver(due []delivery) {
	if len(due) == 0 {
		return
	}
	for i := range due {
		due[i].job.Client.Deliver(&due[i].out)
	}
	any := false
	s.mu.Lock()
	for i := range due {
		d := &due[i]
		d.job.delivering -= int32(d.out.Count)
		d.finish = s.checkFinished(d.job)
		any = any || d.finish
	}
	s.mu.Unlock()
	if !any {
		return
	}
	n := 0
	for i := range due {
		if due[i].finish {
			due[i].job.Client.Finished(due[i].job.cause())
			n++
		}
	}
	s.finished(n)
}

// checkFinished reports whether a job has just come to its end. It returns true once for each job, and
// the caller calls finish or finished then.
func (s *Scheduler) checkFinished(j *Job) bool {
	if j.finished || j.delivering > 0 || j.encoding > 0 || !j.over && (!j.sealed || j.unsettled > 0) {
		return false
	}
	j.finished, j.over = true, true
	s.open.remove(j)
	s.finishing++
	s.windDown()
	return true
}

// finish calls Finished of jobs. It is called without the lock.
func (s *Scheduler) finish(jobs ...*Job) {
	for _, j := range jobs {
		j.Client.Finished(j.cause())
	}
	s.finished(len(jobs))
}

// finished notes that n calls of Finished have returned. Until then the pool
// has not ended: they may add callbacks, which Join waits for.
func (s *Scheduler) finished(n int) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	s.finishing -= n
	if s.finishing == 0 {
		s.checkEnded()
	}
	s.mu.Unlock()
}

// Ended implements Sink.
func (m *member) Ended(b *Batch, busy, cpu time.Duration) {
	s := m.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b.estimate.addDuration(b.done, busy)
	b.estimate.addCPU(busy, cpu)
	s.chargeMeasured(b, busy)
	for i, other := range m.batches {
		if other == b {
			m.batches = slices.Delete(m.batches, i, i+1) // and its call is not kept in memory
			break
		}
	}
	s.noteReport(m)
}
