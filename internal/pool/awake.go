package pool

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// To wake a sleeping process costs some 50 microseconds, of the parent and of the worker: many
// times what a short task takes. So short tasks go to workers that are awake, several at once, and
// a sleeping one is woken when the work that waits before it is worth more than that. While tasks
// only compute no more workers are kept awake than there are processors.
//
// A worker is quick while all that it has is known to be short. Should one of these tasks take
// long after all, that is seen within some milliseconds, and what waits behind it is called back.

const (
	wakeCost   = 50 * time.Microsecond  // tasks that take as long are worth a wake each
	wakeWorth  = 100 * time.Microsecond // of work before it, for a worker that sleeps: both sides have a part in the wake
	stayWorth  = 50 * time.Microsecond  // of work before it, for a worker that is awake
	callCost   = 8 * time.Microsecond   // what a job with one task takes this process, with the caller's part
	stallQuick = 2 * time.Millisecond   // after which a quick worker is looked at
)

// hold notes that a worker has n more items of a batch, or fewer.
func (s *Scheduler) hold(m *member, b *Batch, n int) {
	was := m.outstanding
	if m.outstanding += n; was <= 1 && m.outstanding > 1 {
		s.ahead++
	} else if was > 1 && m.outstanding <= 1 {
		s.ahead--
	}
	if b.quick {
		s.work += int64(n) * b.each
	} else {
		m.slow += n
	}
	s.regard(m)
}

// wakes notes that the sender of a worker is about to look.
func (s *Scheduler) wakes(m *member) {
	if m.caps.Sleeps && !m.waking {
		m.waking = true
		s.waking++
	}
}

// regard puts a worker on the list of those that are quick, or takes it off.
func (s *Scheduler) regard(m *member) {
	quick := m.caps.Sleeps && m.outstanding > 0 && m.slow == 0 && m.loan == nil
	if quick == m.quick {
		return
	}
	m.quick = quick
	if quick {
		s.quick = append(s.quick, m)
	} else if i := slices.Index(s.quick, m); i >= 0 {
		s.quick = slices.Delete(s.quick, i, i+1)
	}
}

// slowed notes that what a worker has is not short, though it was thought to be.
func (s *Scheduler) slowed(m *member) {
	for _, b := range m.batches {
		if b.quick {
			b.quick = false
			s.work -= int64(b.limit-b.done) * b.each
			m.slow += b.limit - b.done
		}
	}
	s.regard(m)
}

// isShort says whether a task is not worth a wake.
func (p *pace) isShort() bool { return p.usual > 0 && p.usual < float64(wakeCost) }

// hands is how many workers tasks like those of a job can make use of: while they only compute as many
// as there are processors, while they wait most of the time more. Jobs with one task cost this process
// a callCost of one of its processors each: no more workers than keep up with half of them. Workers that do not
// sleep have processors of their own, or cost nothing to wake.
func (s *Scheduler) hands(j *Job, sleep bool) int {
	p := j.pace
	if !sleep || !p.isShort() || p.computes == 0 {
		return s.want
	}
	compute := float64(processors)
	if j.Items == 1 && !j.Lazy {
		compute = min(compute, 1+math.Floor(p.usual*compute/float64(2*callCost)))
	}
	return min(s.want, int(math.Ceil(compute/max(p.computes, 0.001))))
}

var processors = runtime.NumCPU()

// enough says whether those that are awake are enough for what waits: to wake one more, or to keep
// it awake, would cost more than it saves. Such work is worth so much for each of them.
func (s *Scheduler) enough(worth time.Duration) bool {
	if len(s.quick)+s.waking == 0 {
		return false
	}
	j := s.ready.top()
	if j == nil || !j.pace.isShort() || j.Alone {
		return false
	}
	awake, heard := s.waking, time.Now().Add(-2*stallQuick)
	for _, m := range s.quick {
		if m.accepts() && m.headSince.After(heard) && !s.spent(m) {
			awake++
		}
	}
	if awake == 0 {
		return false
	}
	work := float64(s.work) + float64(s.ready.items)*j.pace.usual
	return awake >= s.hands(j, true) || work < float64(awake)*float64(worth)
}

// rouseQuick has short tasks sent to a worker that is awake.
func (s *Scheduler) rouseQuick() {
	for i := len(s.quick) - 1; i >= 0; i-- {
		m := s.quick[i]
		if m.parked && m.accepts() && 2*m.outstanding <= s.depthOf(m) {
			m.parked = false
			m.wake()
			break
		}
	}
	s.watchQuick()
}

// watchQuick sets the timer that finds quick workers that are not.
func (s *Scheduler) watchQuick() {
	if s.glancing {
		return
	}
	s.glancing = true
	for _, m := range s.quick {
		m.drags()
	}
	if s.glance == nil {
		s.glance = time.AfterFunc(stallQuick, s.glanceNow)
		return
	}
	s.glance.Reset(stallQuick)
}

// glanceNow calls back what waits behind tasks that were thought to be short, and goes on as long
// as something waits while a worker is idle.
func (s *Scheduler) glanceNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.glancing = false
	again, found := s.ready.items > 0, false
	for i := len(s.quick) - 1; i >= 0; i-- {
		m := s.quick[i]
		if again = again || m.outstanding > 1; !m.drags() {
			continue
		}
		found = true
		s.slowed(m)
		if s.others(m) || s.staff() < s.want {
			s.recallFrom(m, m.outstanding)
		}
	}
	if found {
		s.rouse(s.ready.items)
	}
	if again && len(s.quick) > 0 && (len(s.idle) > 0 || s.staff() < s.want) {
		s.watchQuick()
	}
}

// drags notes which item a worker runs, and says whether its items since it was last looked at,
// a stallQuick ago, were worth a wake each: it was in the same batch then.
func (m *member) drags() bool {
	b, item, _, runs := m.w.Running()
	if !runs {
		b = nil
	}
	slow := runs && m.atBatch == b && time.Duration(item-m.atItem)*wakeCost < stallQuick
	m.atBatch, m.atItem = b, item
	return slow
}
