package waitq

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// futexSet is what the leader sleeps on: the parking lot's event word, the process table's
// word of deaths, and the doorbells of objects, each with the value that it had before the
// leader last scanned the queues.
type futexSet struct {
	events, deaths uint32
	bells          []doorbell
	counts         []uint32
	words          []shm.FutexWord
	sleptShort     bool
}

// snapshot notes the doorbells of objects and their counts. The set keeps these objects until the
// next snapshot: the leader still uses their words after the parking lot has dropped them.
func (s *futexSet) snapshot(objects []*Object, slot int) {
	clear(s.bells)
	s.bells, s.counts = s.bells[:0], s.counts[:0]
	for _, o := range objects {
		d := o.doorbell(slot)
		s.bells = append(s.bells, d)
		s.counts = append(s.counts, d.count.Load())
	}
}

// changed reports whether a word has another value than in the snapshot.
func (s *futexSet) changed(p *parkingLot, t *proctable.Table) bool {
	if p.events.Load() != s.events || t.Deaths().Load() != s.deaths {
		return true
	}
	for i, d := range s.bells {
		if d.count.Load() != s.counts[i] {
			return true
		}
	}
	return false
}

// sleep returns when a word has changed or the timeout has passed: then quiet is true. It may
// return early for no reason.
func (s *futexSet) sleep(p *parkingLot, t *proctable.Table, timeout time.Duration) (quiet bool) {
	short := shm.CanFutexWaitAny() && len(s.bells) == 1 && !s.sleptShort
	s.sleptShort = true
	single := len(s.bells) == 1 && (short || !shm.CanFutexWaitAny())
	if single {
		d := s.bells[0] // a copy: wakeLeader may still use it when s has other bells
		p.soleBell.Store(&d)
		defer p.soleBell.Store(nil)
	}
	p.leaderAsleep.Store(1)
	for _, d := range s.bells {
		d.asleep.Store(1)
	}
	switch {
	case s.changed(p, t):
	case short:
		shm.FutexWait(s.bells[0].count, s.counts[0], min(timeout, shortSleep))
	case single: // it does not wake for deaths
		shm.FutexWait(s.bells[0].count, s.counts[0], min(timeout, probeInterval))
	default:
		s.block(p, t, timeout)
	}
	p.leaderAsleep.Store(0)
	for _, d := range s.bells {
		d.asleep.Store(0)
	}
	runtime.KeepAlive(s)
	return !short && !s.changed(p, t)
}

// shortSleep is how long a leader with a single doorbell first sleeps on that doorbell alone,
// which costs half as much as waiting on several words. Deaths do not wake it meanwhile.
const shortSleep = 2 * time.Millisecond

// pollInterval is how often the leader looks where the kernel cannot wait on several words.
const pollInterval = time.Millisecond

func (s *futexSet) block(p *parkingLot, t *proctable.Table, timeout time.Duration) {
	if shm.CanFutexWaitAny() {
		s.blockOnAll(p, t, timeout)
	} else {
		shm.FutexWaitPrivate(&p.events, s.events, min(timeout, pollInterval))
	}
}

// blockOnAll waits on any number of words. When there are more than the kernel takes in one
// call, further threads wait on the rest.
func (s *futexSet) blockOnAll(p *parkingLot, t *proctable.Table, timeout time.Duration) {
	s.words = append(s.words[:0], shm.PrivateFutex(&p.events, s.events), shm.SharedFutex(t.Deaths(), s.deaths))
	n := min(len(s.bells), shm.MaxFutexWords-2)
	for i, d := range s.bells[:n] {
		s.words = append(s.words, shm.SharedFutex(d.count, s.counts[i]))
	}
	if n == len(s.bells) {
		shm.FutexWaitAny(s.words, timeout)
		return
	}
	over := new(atomic.Uint32)
	var helpers sync.WaitGroup
	for ; n < len(s.bells); n += shm.MaxFutexWords - 1 {
		words := []shm.FutexWord{shm.PrivateFutex(over, 0)}
		for i := n; i < min(n+shm.MaxFutexWords-1, len(s.bells)); i++ {
			words = append(words, shm.SharedFutex(s.bells[i].count, s.counts[i]))
		}
		helpers.Go(func() {
			shm.FutexWaitAny(words, timeout)
			if over.Load() == 0 {
				p.wakeLeader()
			}
		})
	}
	shm.FutexWaitAny(s.words, timeout)
	over.Store(1)
	shm.FutexWakePrivate(over)
	helpers.Wait()
}
