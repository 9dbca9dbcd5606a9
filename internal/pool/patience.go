package pool

import (
	"time"

	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Failed starts are tried again after 10 ms, 20 ms, ... up to a second. So many
// in a row, with no worker alive, break the pool; those that fail for a cause that may pass
// do so only when the patience is over.
const (
	strikesOut   = 5
	shotsOut     = 200 // of workers that somebody kills from outside
	firstBackOff = 10 * time.Millisecond
	lastBackOff  = time.Second
)

// failing is what is known of starts that failed, one after another.
type failing struct {
	strikes int       // in a row, for causes that do not pass
	tries   int       // in a row, for causes that may pass
	shots   int       // workers in a row that were killed from outside before they had done anything
	since   time.Time // the first of them
}

// strike notes that a start failed: the next one waits, or the pool is broken. It
// returns the jobs that are finished by that.
func (s *Scheduler) strike(err error) (dropped []*Job) {
	if s.broken != nil || s.starting.Err() != nil {
		return nil
	}
	if s.strikes+s.tries+s.shots == 0 {
		s.failing.since = time.Now()
	}
	if s.cfg.Shot != nil && s.cfg.Shot(err) && s.shots < shotsOut {
		s.shots++
		s.backOff(firstBackOff)
		return nil
	}
	passes := s.cfg.Transient != nil && s.cfg.Transient(err)
	switch {
	case s.backing: // those that fail side by side count as one
	case passes:
		s.tries++
	default:
		s.strikes++
	}
	failed := time.Since(s.failing.since)
	if passes && failed < s.cfg.StartPatience || !passes && s.strikes < strikesOut || len(s.members) > 0 || s.hiring > 0 {
		s.backOff(min(lastBackOff, firstBackOff<<min(max(s.strikes+s.tries-1, 0), 10)))
		return nil
	}
	s.broken = errtext.Errorf("%w: no worker could be started, in %d attempts within %v: %w",
		ErrBroken, s.strikes+s.tries+s.shots, failed.Round(time.Millisecond), err)
	dropped = s.dropAll(s.broken)
	s.makeRoom()
	return dropped
}
