package pool

import (
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// After a failed start the next one waits for 10 ms, 20 ms, ... up to a second. maxFailures
// in a row, with no worker alive, break the pool. Failures whose cause may pass
// break it only after StartPatience.
const (
	maxFailures  = 5
	maxKilled    = 200 // workers that were killed from outside, before they count as failures
	firstBackOff = 10 * time.Millisecond
	lastBackOff  = time.Second
)

// startFailures counts starts that failed, one after another.
type startFailures struct {
	failures  int       // in a row, with a cause that does not pass
	transient int       // in a row, with a cause that may pass
	killed    int       // workers in a row that were killed from outside before they had done anything
	since     time.Time // the first of them
}

// startFailed counts a failed start: the next one waits, or the pool breaks. It
// returns the jobs that are finished by that.
func (s *Scheduler) startFailed(err error) (dropped []*Job) {
	if s.broken != nil || s.startCtx.Err() != nil {
		return nil
	}
	if s.failures+s.transient+s.killed == 0 {
		s.startFailures.since = time.Now()
	}
	if s.cfg.KilledOutside != nil && s.cfg.KilledOutside(err) && s.killed < maxKilled {
		s.killed++
		s.backOff(firstBackOff)
		return nil
	}
	passes := s.cfg.Transient != nil && s.cfg.Transient(err)
	switch {
	case s.backingOff: // those that fail side by side count as one
	case passes:
		s.transient++
	default:
		s.failures++
	}
	failed := time.Since(s.startFailures.since)
	if passes && failed < s.cfg.StartPatience || !passes && s.failures < maxFailures || len(s.members) > 0 || s.starting > 0 {
		s.backOff(min(lastBackOff, firstBackOff<<min(max(s.failures+s.transient-1, 0), 10)))
		return nil
	}
	s.broken = errtext.Errorf("%w: no worker could be started, in %d attempts within %v: %w",
		ErrBroken, s.failures+s.transient+s.killed, failed.Round(time.Millisecond), err)
	dropped = s.cancelAll(s.broken)
	s.wakeSubmitters()
	return dropped
}
