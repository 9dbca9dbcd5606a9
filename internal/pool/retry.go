package pool

import (
	"math/rand/v2"
	"time"
)

// retry is a task that waits for its back-off.
type retry struct {
	attempt int // the next one
	timer   *time.Timer
}

// retryLater has a task wait for its back-off, and then for a worker.
func (s *Scheduler) retryLater(j *Job, index, attempt int) {
	r := &retry{attempt: attempt + 1}
	if j.needExtra().inBackOff == nil {
		j.inBackOff = make(map[int]*retry)
	}
	j.inBackOff[index] = r
	s.inBackOff++
	r.timer = time.AfterFunc(j.Backoff.wait(attempt), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if j.inBackOff[index] != r {
			return
		}
		delete(j.inBackOff, index)
		s.inBackOff--
		j.putBackSpan(Span{Job: j, First: index, N: 1, Attempt: r.attempt})
		s.queues.items++
		s.enlist(j, false)
		if s.ranked {
			s.preempt(j.Priority)
		}
		s.wakeSenders(1)
	})
}

// wait returns the back-off after a number of failed attempts.
func (b Backoff) wait(attempts int) time.Duration {
	d := float64(b.Min)
	for i := 1; i < attempts && d < float64(b.Max); i++ {
		d *= b.Factor
	}
	d = min(d, float64(b.Max))
	return time.Duration(d * (1 - b.Jitter*rand.Float64()))
}
