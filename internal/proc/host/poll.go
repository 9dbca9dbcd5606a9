package host

import (
	"github.com/gomultiprocessing/mp/internal/proc/proto"
	"github.com/gomultiprocessing/mp/internal/spin"
)

// relieve takes over from the reader, which sleeps and would have to be woken. poll must
// follow.
func (r *reader) relieve() bool {
	r.polling.Lock()
	if r.isOver() || !r.page.ParentSleeps.CompareAndSwap(1, 0) {
		r.polling.Unlock() // the reader is awake
		return false
	}
	return true
}

// poll waits for the outcome of the only item that the worker has, for a moment, in place
// of the reader. It reports whether the batch ended.
func (r *reader) poll(f *sentBatch) (ended bool) {
	defer r.polling.Unlock()
	p := polled{r: r, f: f, seen: r.page.Head.Load()}
	spin.Until(proto.PollTries, (*polled).try, &p)
	r.page.ParentSleeps.Store(1)
	if !p.stop && r.hasMore() {
		again, _ := r.takeOne(f)
		p.ended = p.ended || again
	}
	return p.ended
}

// polled is what polling has found so far.
type polled struct {
	r           *reader
	f           *sentBatch
	seen        uint64 // the ring's tail
	ended, stop bool   // see takeOne
}

// try looks once. It reports whether polling is over.
func (p *polled) try() bool {
	tail := p.r.page.Tail.Load()
	if tail == p.seen {
		return false
	}
	p.seen = tail
	p.ended, p.stop = p.r.takeOne(p.f)
	return p.ended || p.stop
}

func (r *reader) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

func (r *reader) hasMore() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.over && r.more()
}

// takeOne takes what is in the ring. stop says that polling must not go on: the
// reader is awake, an outcome is on the socket, or the worker broke the protocol.
func (r *reader) takeOne(f *sentBatch) (ended, stop bool) {
	if !r.mu.TryLock() {
		return false, true
	}
	defer r.mu.Unlock()
	if r.over || r.bad != nil {
		return false, true
	}
	r.inPoll = true
	err := r.drain()
	r.inPoll = false
	if err != nil && err != errOnSocket {
		r.bad = err
		r.w.proc.Kill()
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	return r.w.slots[f.slot] != f, err != nil
}
