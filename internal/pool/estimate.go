package pool

import "time"

// pace is what is known of how long one call of a function takes and how big its
// input is. It decides how many tasks are sent at once, and how far ahead.
type estimate struct {
	mean         float64 // nanoseconds a task; 0: not known yet
	typical      float64 // the same, of which one batch that was interrupted changes little
	bytes        float64 // bytes sent a task
	cpuShare     float64 // part of the time that they compute, 0 to 1; 0: not known
	largestBatch int     // most tasks sent in one batch so far
}

const (
	prefetchWork       = 4 * time.Millisecond // of work is sent to a worker beyond what it runs,
	prefetchWorkShared = 2 * time.Millisecond // and so much where several jobs want it
	maxItems           = 65536                // in one batch
	maxBytes           = 1 << 20              // in one batch, of more than one task
	maxSpans           = 256                  // in one batch: At goes through them
	maxGrowth          = 64                   // a batch is at most so many times as big as any before it
	maxJump            = 8                    // times the usual duration that one batch counts at most
	maxBatches         = 16                   // batches that one worker has at a time
)

func (s *Scheduler) estimateOf(name string) *estimate {
	p := s.estimates[name]
	if p == nil {
		p = &estimate{}
		s.estimates[name] = p
	}
	return p
}

// ran learns from n tasks that took so long in all.
func (p *estimate) addDuration(n int, busy time.Duration) {
	if n == 0 {
		return
	}
	each := max(float64(busy)/float64(n), 1)
	if p.mean == 0 {
		p.mean, p.typical = each, each
		return
	}
	p.typical += (min(each, maxJump*p.typical) - p.typical) / 2
	p.mean += (each - p.mean) / 2
}

// used learns how much of the time the tasks of a batch have computed.
func (p *estimate) addCPU(busy, cpu time.Duration) {
	if cpu <= 0 || busy <= 0 {
		return
	}
	part := max(0.001, min(1, float64(cpu)/float64(busy)))
	if p.cpuShare == 0 {
		p.cpuShare = part
		return
	}
	p.cpuShare += (part - p.cpuShare) / 2
}

// carried learns the size of what was sent.
func (p *estimate) addSize(n int, bytes int64) {
	if n > 0 {
		p.bytes += (float64(bytes)/float64(n) - p.bytes) / 2
		p.largestBatch = max(p.largestBatch, n)
	}
}

// depth is how many tasks a worker may hold: one when nothing is known, or when
// one takes so long that a round trip between two does not matter.
func (p *estimate) depth(ahead time.Duration) int {
	if p.mean == 0 {
		return 1
	}
	n := 1 + int(float64(ahead)/p.mean)
	n = min(n, maxItems, maxGrowth*max(p.largestBatch, 1))
	if p.bytes > 0 {
		n = min(n, 1+int(maxBytes/p.bytes))
	}
	return n
}
