package pool

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// To wake a sleeping process costs some 50 microseconds, of the parent and of the worker: many
// times what a short task takes. So short tasks go to workers that are awake, several at once, and
// a sleeping worker is woken when the waiting work is worth more than that. While tasks
// only compute, no more workers are kept awake than there are processors.
//
// A worker counts as awake while all its tasks are known to be short. If one of them takes
// long after all, that is noticed within some milliseconds, and what waits behind it is taken back.

const (
	wakeCost     = 50 * time.Microsecond  // tasks that take as long are worth a wake each
	workPerWake  = 100 * time.Microsecond // of waiting work for each awake worker, before one that sleeps is woken: both sides pay for a wake
	workPerAwake = 50 * time.Microsecond  // of waiting work for each awake worker, before one that has nothing to do gets some
	callCost     = 8 * time.Microsecond   // what a job with one task costs this process, with the caller's part
	slowAfter    = 2 * time.Millisecond   // after which an awake worker is checked
)

// addOutstanding counts n more items of a batch at a worker; n may be negative.
func (s *Scheduler) addOutstanding(m *member, b *Batch, n int) {
	was := m.outstanding
	if m.outstanding += n; was <= 1 && m.outstanding > 1 {
		s.prefetched++
	} else if was > 1 && m.outstanding <= 1 {
		s.prefetched--
	}
	if b.short {
		s.awakeWork += int64(n) * b.typical
	} else {
		m.slow += n
	}
	s.updateAwake(m)
}

// markWaking notes that the sender of a worker is about to look.
func (s *Scheduler) markWaking(m *member) {
	if m.caps.Sleeps && !m.waking {
		m.waking = true
		s.waking++
	}
}

// updateAwake puts a worker on the list of those that are awake, or takes it off.
func (s *Scheduler) updateAwake(m *member) {
	quick := m.caps.Sleeps && m.outstanding > 0 && m.slow == 0 && m.compensates == nil
	if quick == m.awake {
		return
	}
	m.awake = quick
	if quick {
		s.awake = append(s.awake, m)
	} else if i := slices.Index(s.awake, m); i >= 0 {
		s.awake = slices.Delete(s.awake, i, i+1)
	}
}

// markSlow notes that the tasks of a worker are not short, though they were thought to be.
func (s *Scheduler) markSlow(m *member) {
	for _, b := range m.batches {
		if b.short {
			b.short = false
			s.awakeWork -= int64(b.limit-b.done) * b.typical
			m.slow += b.limit - b.done
		}
	}
	s.updateAwake(m)
}

// isShort reports whether a task is not worth a wake.
func (e *estimate) isShort() bool { return e.typical > 0 && e.typical < float64(wakeCost) }

// usefulWorkers returns how many workers tasks like those of a job can use: as many as there are processors
// if they only compute, more if they wait most of the time. A job with one task costs this process
// callCost, so no more workers are useful than keep up with half of the processors. Workers that do not
// sleep have processors elsewhere, or cost nothing to wake.
func (s *Scheduler) usefulWorkers(j *Job, sleep bool) int {
	e := j.estimate
	if !sleep || !e.isShort() || e.cpuShare == 0 {
		return s.want
	}
	compute := float64(processors)
	if j.Items == 1 && !j.Lazy {
		compute = min(compute, 1+math.Floor(e.typical*compute/float64(2*callCost)))
	}
	return min(s.want, int(math.Ceil(compute/max(e.cpuShare, 0.001))))
}

var processors = runtime.NumCPU()

// enoughAwake reports whether the awake workers are enough for what waits, because another one
// would cost more than it saves: there is less work than worth for each of them.
func (s *Scheduler) enoughAwake(worth time.Duration) bool {
	if len(s.awake)+s.waking == 0 {
		return false
	}
	j := s.queues.top()
	if j == nil || !j.estimate.isShort() || j.Moves {
		return false
	}
	awake, heard := s.waking, time.Now().Add(-2*slowAfter)
	for _, m := range s.awake {
		if m.accepts() && m.headSince.After(heard) && !s.usedUp(m) {
			awake++
		}
	}
	if awake == 0 {
		return false
	}
	work := float64(s.awakeWork) + float64(s.queues.items)*j.estimate.typical
	return awake >= s.usefulWorkers(j, true) || work < float64(awake)*float64(worth)
}

// wakeAwake has short tasks sent to a worker that is awake.
func (s *Scheduler) wakeAwake() {
	for i := len(s.awake) - 1; i >= 0; i-- {
		m := s.awake[i]
		if m.parked && m.accepts() && 2*m.outstanding <= s.depthOf(m) {
			m.parked = false
			m.wake()
			break
		}
	}
	s.watchAwake()
}

// watchAwake sets the timer of checkAwake.
func (s *Scheduler) watchAwake() {
	if s.awakeTimerSet {
		return
	}
	s.awakeTimerSet = true
	for _, m := range s.awake {
		m.isSlow()
	}
	if s.awakeTimer == nil {
		s.awakeTimer = time.AfterFunc(slowAfter, s.checkAwake)
		return
	}
	s.awakeTimer.Reset(slowAfter)
}

// checkAwake takes back what waits behind tasks that were thought to be short. It checks again as long
// as something waits while a worker is idle.
func (s *Scheduler) checkAwake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awakeTimerSet = false
	again, found := s.queues.items > 0, false
	for i := len(s.awake) - 1; i >= 0; i-- {
		m := s.awake[i]
		if again = again || m.outstanding > 1; !m.isSlow() {
			continue
		}
		found = true
		s.markSlow(m)
		if s.othersAccept(m) || s.workerCount() < s.want {
			s.revokeFrom(m, m.outstanding)
		}
	}
	if found {
		s.wakeSenders(s.queues.items)
	}
	if again && len(s.awake) > 0 && (len(s.idle) > 0 || s.workerCount() < s.want) {
		s.watchAwake()
	}
}

// isSlow reports whether the items that a worker has run since the last check, slowAfter ago, have taken
// long enough to be worth a wake each, and notes which item it runs now.
func (m *member) isSlow() bool {
	b, item, _, runs := m.w.Running()
	if !runs {
		b = nil
	}
	slow := runs && m.lastBatch == b && time.Duration(item-m.lastItem)*wakeCost < slowAfter
	m.lastBatch, m.lastItem = b, item
	return slow
}
