package talk

import "sync/atomic"

// contexts are the ctxs of some consecutive items of a span, made together, and
// found again by whoever wants to cancel one.
type contexts struct {
	owner     *contextsOf
	run       *running
	batch     uint64
	slot      int
	first     int // the first one's item in the batch
	index     int // and in the job
	of        []taskContext
	deadlines []int64                // each one's, if they have a Timeout
	lives     atomic.Pointer[liveOf] // of those that somebody looks at; nil while nobody did
	one       [1]taskContext
}

// maxContexts are made together. A function that keeps its ctx keeps them all.
const maxContexts = 64

// liveOf has a place for each ctx of a set.
type liveOf [maxContexts]atomic.Pointer[liveContext]

// contextsOf hands out contexts, on one goroutine, and cancels them, on any.
type contextsOf struct {
	page      *page
	current   atomic.Pointer[contexts]
	cancelled atomic.Uint64 // the last request's batch and item, which may have come too early
}

// more makes the contexts for the next items of a span, of which the first one was
// claimed; left says how many come.
func (o *contextsOf) more(cs *contexts, left int) *contexts {
	cs.owner, cs.of = o, cs.one[:]
	if left > 1 {
		cs.of = make([]taskContext, min(left, maxContexts))
	}
	for i := range cs.of {
		cs.of[i].set = cs
	}
	if cs.run.timeout > 0 {
		cs.deadlines = make([]int64, len(cs.of))
	}
	o.current.Store(cs)
	if early := o.cancelled.Load(); early>>32 == cs.batch {
		cs.cancel(int(uint32(early)))
	}
	return cs
}

// live is the live part of a ctx of the set, nil while nobody looks at it.
func (cs *contexts) live(at int) *liveContext {
	if all := cs.lives.Load(); all != nil {
		return all[at].Load()
	}
	return nil
}

// makeLive gives a ctx of the set a live part, unless it has one, and returns the
// one that it has then.
func (cs *contexts) makeLive(at int, fresh *liveContext) *liveContext {
	all := cs.lives.Load()
	if all == nil {
		cs.lives.CompareAndSwap(nil, new(liveOf))
		all = cs.lives.Load()
	}
	all[at].CompareAndSwap(nil, fresh)
	return all[at].Load()
}

// over says whether the call with that ctx has returned: there are contexts for
// later ones, or the item after it was begun.
func (cs *contexts) over(at int) bool {
	return cs.owner.current.Load() != cs || cs.owner.page.begun(cs.slot) > cs.first+at+1
}

// forget lets go of the last batch's.
func (o *contextsOf) forget() { o.current.Store(nil) }

// cancel ends the ctx of an item, now or, when it has none yet, as soon as more
// makes it.
func (o *contextsOf) cancel(batch uint64, item int) {
	o.cancelled.Store(target(batch, item))
	if cs := o.current.Load(); cs != nil && cs.batch == batch {
		cs.cancel(item)
	}
}

func (cs *contexts) cancel(item int) {
	if item >= cs.first && item < cs.first+len(cs.of) {
		cs.of[item-cs.first].cancel()
	}
}

// returned ends the ctx of a call that has returned, if anybody cares.
func (cs *contexts) returned(at int) {
	if cs.live(at) != nil {
		cs.of[at].cancel()
	}
}

// target is a request to cancel as one number.
func target(batch uint64, item int) uint64 { return batch<<32 | uint64(item) }
