package pool

import (
	"math/rand/v2"
	"time"
)

// retrial is a task that waits for its back-off.
type retrial struct {
	attempt int // the next one
	timer   *time.Timer
}

// again makes a task wait for its back-off and then for a worker.
func (s *Scheduler) again(j *Job, index, attempt int) {
	r := &retrial{attempt: attempt + 1}
	if j.rare().waiting == nil {
		j.waiting = make(map[int]*retrial)
	}
	j.waiting[index] = r
	s.waiting++
	r.timer = time.AfterFunc(j.Backoff.wait(attempt), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if j.waiting[index] != r {
			return
		}
		delete(j.waiting, index)
		s.waiting--
		j.giveBack(Span{Job: j, First: index, N: 1, Attempt: r.attempt})
		s.ready.items++
		s.list(j, false)
		if s.ranked {
			s.yieldTo(j.Priority)
		}
		s.rouse(1)
	})
}

// wait is how long to wait after so many failed attempts.
func (b Backoff) wait(attempts int) time.Duration {
	d := float64(b.Min)
	for i := 1; i < attempts && d < float64(b.Max); i++ {
		d *= b.Factor
	}
	d = min(d, float64(b.Max))
	return time.Duration(d * (1 - b.Jitter*rand.Float64()))
}
