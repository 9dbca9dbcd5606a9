package pool

import "time"

// pace is what is known of how long one call of a function takes and how big its
// input is. It decides how many tasks are sent at once, and how far ahead.
type pace struct {
	mean  float64 // nanoseconds a task; 0: not known yet
	bytes float64 // bytes sent a task
	sent  int     // most tasks sent in one batch so far
}

const (
	ahead        = 4 * time.Millisecond // of work is sent to a worker beyond what it runs,
	aheadShared  = time.Millisecond     // and so much where several jobs want it
	maxItems     = 65536                // in one batch
	maxItemsHere = 4096                 // in one batch for a goroutine: what they return stays in its cache
	maxBytes     = 1 << 20              // in one batch, of more than one task
	maxSpans     = 256                  // in one batch: At goes through them
	maxGrowth    = 64                   // a batch is at most so many times as big as any before it
	maxFlight    = 16                   // batches that one worker has at a time
)

func (s *Scheduler) paceOf(name string) *pace {
	p := s.paces[name]
	if p == nil {
		p = &pace{}
		s.paces[name] = p
	}
	return p
}

// ran learns from n tasks that took so long in all.
func (p *pace) ran(n int, busy time.Duration) {
	if n == 0 {
		return
	}
	each := max(float64(busy)/float64(n), 1)
	if p.mean == 0 {
		p.mean = each
		return
	}
	p.mean += (each - p.mean) / 2
}

// carried learns the size of what was sent.
func (p *pace) carried(n int, bytes int64) {
	if n > 0 {
		p.bytes += (float64(bytes)/float64(n) - p.bytes) / 2
		p.sent = max(p.sent, n)
	}
}

// depth is how many tasks a worker may hold: one when nothing is known, or when
// one takes so long that a round trip between two does not matter.
func (p *pace) depth(ahead time.Duration) int {
	if p.mean == 0 {
		return 1
	}
	n := 1 + int(float64(ahead)/p.mean)
	n = min(n, maxItems, maxGrowth*max(p.sent, 1))
	if p.bytes > 0 {
		n = min(n, 1+int(maxBytes/p.bytes))
	}
	return n
}
