package pool

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Died implements Sink: the worker's tasks are settled, and it is replaced.
func (m *member) Died(d Death) {
	s := m.s
	s.mu.Lock()
	m.dead = true
	if m.w == nil { // it was not even ready: start handles it
		m.startErr = cmp.Or(d.Err, errEnded)
		s.mu.Unlock()
		close(m.wakeup)
		return
	}
	s.removeIdle(m)
	if m.waking {
		m.waking = false
		s.waking--
	}
	for _, t := range []*time.Timer{m.timeoutTimer, m.closeTimer, m.idleTimer} {
		if t != nil {
			t.Stop()
		}
	}
	if m.stop != nil && m.stop.timer != nil {
		m.stop.timer.Stop()
	}
	due := s.settleDead(m, d, m.scratch[:0])
	due = s.failPinned(m, d.Err, due)
	dropped := s.removeDead(m, d)
	s.wakeSubmitters()
	s.checkEnded()
	s.mu.Unlock()
	close(m.wakeup)
	s.deliver(due)
	s.finish(dropped...)
}

// settleDead settles each item that a dead worker had: what it had not
// begun waits for another worker, the item that ran is blamed, and the earlier ones of
// a chunk, whose results were lost, are begun again.
func (s *Scheduler) settleDead(m *member, d Death, due []delivery) []delivery {
	for _, b := range m.batches {
		if b.done >= b.limit {
			continue
		}
		s.addOutstanding(m, b, b.done-b.limit)
		begun := m.w.Limit(b, 0)
		if m.blameUnread(b, begun, d) {
			begun++
		}
		if begun < b.limit {
			b.parts(begun, b.limit, func(sp Span) { s.requeue(sp, b) })
			b.limit = max(begun, b.done)
		}
		m.noteBegun(b, b.limit-1)
		for b.done < b.limit {
			item := b.done
			sp, at := b.advance(1)
			one := Span{Job: sp.Job, First: sp.First + at, N: 1, Attempt: sp.Attempt}
			ran := d.Running && d.Batch == b && d.Item == item || item >= begun-1 && b.unread
			if !ran && sp.N > 1 {
				s.requeue(one, b)
				continue
			}
			s.notInFlight(one.Job, 1, b)
			if one.Job.over {
				continue
			}
			out := Outcome{First: one.First, Count: 1, Attempts: one.Attempt, PID: m.pid, ID: one.Job.taskID(one.First), Err: m.deathError(b, item, d.Err)}
			if ran {
				s.chargeDeath(one.Job, b, time.Since(m.headSince))
				out.Measure = d.Measure
				if d.Measure != nil {
					d.Measure.MaxMemory = m.memory // as when it was last looked at
				}
			}
			due = s.failed(one.Job, out, m.n, b.Moved.Load(), due)
		}
	}
	m.batches = nil
	return due
}

// blameUnread reports whether the first item that a dead worker had not begun is to blame
// for the death: its input is larger than a worker's memory limit, or several workers in a row have
// died while they read it.
func (m *member) blameUnread(b *Batch, begun int, d Death) bool {
	if st := m.stop; st != nil && st.batch == b && st.unread && begun == st.item {
		b.unread = true
		return true
	}
	if begun > 0 || b.items > 1 || d.Running {
		return false
	}
	if m.batches[0] == b && !m.killed && d.Err != nil {
		j := b.Spans[0].Job
		if j.needExtra().readDeaths++; j.readDeaths >= maxReadDeaths {
			j.readDeaths, b.unread = 0, true
		}
	}
	return b.unread
}

// maxReadDeaths is how many workers in a row may die while they read inputs of one job.
const maxReadDeaths = 10

// deathError returns the error of the item that ran when its worker died.
func (m *member) deathError(b *Batch, item int, err error) error {
	switch st := m.stop; {
	case st != nil && st.batch == b && st.item == item && st.err != nil:
		return st.err
	case err == nil:
		return errEnded
	}
	return err
}

// errEnded is for a worker that had a task when it ended as it was asked to.
var errEnded = errors.New("mp: the worker ended while the task ran")

// removeDead takes a dead worker off the list and starts another. It returns the
// jobs that are finished because the pool broke.
func (s *Scheduler) removeDead(m *member, d Death) (dropped []*Job) {
	if i := slices.Index(s.members, m); i >= 0 {
		s.members = slices.Delete(s.members, i, i+1)
	}
	s.endCompensation(m)
	if m.compensates != nil {
		s.compensatingEnded(m)
		return nil
	}
	s.numbers[m.n-1] = false
	kind := WorkerDied
	exit := m.exitFailure(d)
	if d.Err == nil || m.closing && !m.killed && !d.Raced {
		kind, d.Err = WorkerRecycled, nil
	}
	if d.Raced && s.raced == nil {
		s.raced = d.Err
	}
	s.events.add(entry{kind: kind, first: -1, n: 1, worker: m.n, pid: m.pid, err: with(m.lastWord(d.Err), exit)})
	if kind == WorkerDied && !s.terminated {
		s.counts.restarts++
	}
	soon := earlyDeath
	if m.used {
		soon = earlyDeathWithTask
	}
	if kind == WorkerDied && !m.killed && !m.reported && !d.Running && time.Since(m.since) < soon {
		dropped = s.startFailed(errtext.Errorf("%w: %w", errEarlyDeath, d.Err))
	}
	s.startMissing()
	s.wakeSenders(s.queues.items)
	s.checkRecycled()
	return dropped
}

// earlyDeath is how soon after its start the death of a worker that has reported nothing
// counts as a failed start: the next one will not live long either. A worker that
// was sent a task may have died of that.
const (
	earlyDeath         = time.Second
	earlyDeathWithTask = 20 * time.Millisecond
)

var errEarlyDeath = errors.New("mp: the worker died as soon as it was ready")
