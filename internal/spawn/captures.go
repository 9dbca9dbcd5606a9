package spawn

import (
	"bytes"
	"slices"
	"sync"
	"time"
)

const (
	maxCapture     = 64 << 20 // bytes per stream of one capture, whatever the child asks for
	maxCaptures    = 64       // not taken yet; beyond that the oldest is dropped
	maxHalfDropped = 4096     // more markers than fit in a pipe, which is as far as one stream can be behind the other
)

// captures keeps what a child printed between markers until it is taken.
type captures struct {
	mu          sync.Mutex
	kept        []*capture    // oldest first
	halfDropped []uint64      // ids of dropped or taken captures that one stream has yet to begin
	streamEnded [2]bool       // the stream has ended
	changed     chan struct{} // closed at the next change; nil: nobody waits
}

// capture is the output of both streams. Different goroutines read them, so one may begin or end
// long before the other.
type capture struct {
	id      uint64
	output  [2]tailBuffer
	begun   [2]bool
	ended   [2]bool
	dropped bool // discard what still arrives
}

// begin handles the marker that begins a capture on one stream.
func (cs *captures) begin(stream int, id uint64, max int) *capture {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if i := slices.Index(cs.halfDropped, id); i >= 0 {
		cs.halfDropped = slices.Delete(cs.halfDropped, i, i+1)
		return &capture{id: id, dropped: true}
	}
	c := cs.find(id)
	if c == nil {
		c = &capture{id: id}
		if len(cs.kept) == maxCaptures {
			cs.drop(cs.kept[0])
		}
		cs.kept = append(cs.kept, c)
	}
	c.begun[stream] = true
	c.output[stream].max = max
	return c
}

func (cs *captures) write(c *capture, stream int, b []byte) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if !c.dropped {
		c.output[stream].write(b)
	}
}

func (cs *captures) end(c *capture, stream int) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.ended[stream] = true
	cs.wake()
}

// close marks a stream as ended, and with it every capture on it.
func (cs *captures) close(stream int) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.streamEnded[stream] = true
	cs.wake()
}

// take waits until a capture is complete on both streams, then returns and forgets it.
func (cs *captures) take(id uint64, wait time.Duration) (stdout, stderr []byte, ok bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for late := wait <= 0; ; {
		cs.mu.Lock()
		c := cs.find(id)
		if late || cs.complete(c, 0) && cs.complete(c, 1) {
			defer cs.mu.Unlock()
			if c == nil {
				return nil, nil, false
			}
			cs.drop(c)
			return bytes.Clone(c.output[0].bytes()), bytes.Clone(c.output[1].bytes()), true
		}
		if cs.changed == nil {
			cs.changed = make(chan struct{})
		}
		changed := cs.changed
		cs.mu.Unlock()
		select {
		case <-changed:
		case <-timer.C:
			late = true
		}
	}
}

func (cs *captures) complete(c *capture, stream int) bool {
	return cs.streamEnded[stream] || c != nil && c.ended[stream]
}

func (cs *captures) find(id uint64) *capture {
	i := slices.IndexFunc(cs.kept, func(c *capture) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return cs.kept[i]
}

func (cs *captures) drop(c *capture) {
	c.dropped = true
	i := slices.Index(cs.kept, c)
	cs.kept = slices.Delete(cs.kept, i, i+1)
	if c.begun[0] != c.begun[1] && len(cs.halfDropped) < maxHalfDropped {
		cs.halfDropped = append(cs.halfDropped, c.id)
	}
}

func (cs *captures) wake() {
	if cs.changed != nil {
		close(cs.changed)
		cs.changed = nil
	}
}
