package pool

import (
	"fmt"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// ErrFull means that there is no room. Package mp exports it under this name.
var ErrFull = carrier.ErrFull

// refuseNoWait returns the error of a NoWait job that has tasks beyond MaxQueued; nil if there is room.
func (s *Scheduler) refuseNoWait(j *Job) error {
	if !j.NoWait || s.cfg.MaxQueued <= 0 {
		return nil
	}
	busy := 0
	for _, m := range s.members {
		if m.outstanding > 0 && m.compensates == nil && m.serving() {
			busy++
		}
	}
	queued := s.queued()
	if queued+max(1, j.Items)-max(0, s.want-busy) <= s.cfg.MaxQueued {
		return nil
	}
	return fmt.Errorf("%w: %d tasks are queued, MaxQueued is %d, and the call has the option NoWait", ErrFull, queued, s.cfg.MaxQueued)
}
