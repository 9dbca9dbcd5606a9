package shared

import (
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// deathPoller polls for deaths. The goroutines of this process that wait for one thing are all
// asked whenever its doorbell rings; one of them polls on behalf of all.
type deathPoller struct {
	nextPoll atomic.Int64
	found    atomic.Bool // and it has not been handled yet
}

// deathPollInterval is the time between two checks.
const deathPollInterval = time.Millisecond

// poll reports whether check has found a death, now or before. It calls check once in a
// deathPollInterval at most.
func (o *deathPoller) poll(look func() bool) bool {
	if o.found.Load() {
		return true
	}
	now, next := shm.Now(), o.nextPoll.Load()
	if now < next || !o.nextPoll.CompareAndSwap(next, now+int64(deathPollInterval)) || !look() {
		return false
	}
	o.found.Store(true)
	return true
}

// livenessCache asks the kernel whether processes are alive, once for each.
type livenessCache struct {
	last      proctable.ID
	lastAlive bool
	known     map[proctable.ID]bool
}

func (p *livenessCache) alive(id proctable.ID) bool {
	if id == p.last && id != 0 {
		return p.lastAlive
	}
	lives, ok := p.known[id]
	if !ok {
		lives = proctable.ProbeCached(id)
		if p.last != 0 {
			if p.known == nil {
				p.known = make(map[proctable.ID]bool)
			}
			p.known[id] = lives
		}
	}
	p.last, p.lastAlive = id, lives
	return lives
}
