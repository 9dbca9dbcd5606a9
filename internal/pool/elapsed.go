package pool

import (
	"sync"
	"time"
)

// Deadlines move by the time for which the whole program was stopped, by Ctrl-Z: neither task nor worker
// could do anything then. Timers know nothing of it, so what they call looks again.

// elapsed returns the time since a moment, less the time for which the program was stopped.
func (s *Scheduler) elapsed(since time.Time) time.Duration {
	d := time.Since(since)
	if s.cfg.Paused != nil && d > 0 {
		d -= s.cfg.Paused(since)
	}
	return d
}

// after is time.AfterFunc, but the time for which the program is stopped does not count. A call of f that is
// on its way when the timer is stopped may still come.
func (s *Scheduler) after(d time.Duration, f func()) *time.Timer {
	if s.cfg.Paused == nil {
		return time.AfterFunc(d, f)
	}
	since := time.Now()
	var mu sync.Mutex // timer is set before it is used
	mu.Lock()
	defer mu.Unlock()
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		mu.Lock()
		left := d - s.elapsed(since)
		if left > 0 {
			timer.Reset(left)
		}
		mu.Unlock()
		if left <= 0 {
			f()
		}
	})
	return timer
}
