package pool

import "time"

// estimate is the cost estimate of a function: how long a call takes and how large its
// input is. It decides how many tasks are sent at once, and how far ahead.
type estimate struct {
	name         string
	mean         float64 // nanoseconds a task; 0: not known yet
	typical      float64 // the same, but one batch that was interrupted changes it little
	bytes        float64 // bytes sent a task
	cpuShare     float64 // the part of the time in which they compute, 0 to 1; 0: not known
	largestBatch int     // most tasks sent in one batch so far
}

const (
	prefetchWork       = 4 * time.Millisecond // of work is sent to a worker beyond what it runs,
	prefetchWorkShared = 2 * time.Millisecond // and so much where several jobs want it
	maxItems           = 65536                // in one batch
	maxBytes           = 1 << 20              // in one batch, of more than one task
	maxSpans           = 256                  // in one batch: At goes through them
	maxGrowth          = 64                   // how many times as large as any before it a batch may be
	maxJump            = 8                    // times the usual duration that one batch counts at most
	maxBatches         = 16                   // that one worker may have
)

// estimateOf returns what is known of a function. Most jobs call the function of the one before.
func (s *Scheduler) estimateOf(name string) *estimate {
	if e := s.lastEstimate; e != nil && e.name == name {
		return e
	}
	e := s.estimates[name]
	if e == nil {
		e = &estimate{name: name}
		s.estimates[name] = e
	}
	s.lastEstimate = e
	return e
}

// addDuration learns from n tasks that took so long in all.
func (e *estimate) addDuration(n int, busy time.Duration) {
	if n == 0 {
		return
	}
	each := max(float64(busy)/float64(n), 1)
	if e.mean == 0 {
		e.mean, e.typical = each, each
		return
	}
	e.typical += (min(each, maxJump*e.typical) - e.typical) / 2
	e.mean += (each - e.mean) / 2
}

// addCPU learns how much of the time the tasks of a batch have computed.
func (e *estimate) addCPU(busy, cpu time.Duration) {
	if cpu <= 0 || busy <= 0 {
		return
	}
	part := max(0.001, min(1, float64(cpu)/float64(busy)))
	if e.cpuShare == 0 {
		e.cpuShare = part
		return
	}
	e.cpuShare += (part - e.cpuShare) / 2
}

// addSize learns the size of what was sent.
func (e *estimate) addSize(n int, bytes int64) {
	if n > 0 {
		e.bytes += (float64(bytes)/float64(n) - e.bytes) / 2
		e.largestBatch = max(e.largestBatch, n)
	}
}

// depth returns how many tasks a worker may hold: one if nothing is known, or if
// a task takes so long that a round trip does not matter.
func (e *estimate) depth(ahead time.Duration) int {
	if e.mean == 0 {
		return 1
	}
	n := 1 + int(float64(ahead)/e.mean)
	n = min(n, maxItems, maxGrowth*max(e.largestBatch, 1))
	if e.bytes > 0 {
		n = min(n, 1+int(maxBytes/e.bytes))
	}
	return n
}
