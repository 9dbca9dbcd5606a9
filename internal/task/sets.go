package task

import (
	"context"
	"sync/atomic"
)

// Set is the ctxs of some consecutive items of a span, made together, and
// found again by whoever wants to cancel one.
type Set struct {
	Common *Common
	Claims *Claims         // of the batch
	Batch  uint64          // its number
	First  int             // the first one's item in the batch
	Index  int             // and in the job
	Values context.Context // of the caller; nil: none

	owner     *Sets
	of        []Context
	deadlines *[]int64               // each one's by its Timeout, if they have one
	lives     atomic.Pointer[liveOf] // of those that somebody looks at; nil while nobody did
	one       [1]Context
}

// maxSet are made together. A function that keeps its ctx keeps them all.
const maxSet = 64

// liveOf has a place for each ctx of a set.
type liveOf [maxSet]atomic.Pointer[liveContext]

// Sets hands out sets, on one goroutine, and cancels them, on any.
type Sets struct {
	current   atomic.Pointer[Set]
	cancelled atomic.Uint64 // the last request's batch and item, which may have come too early
}

// More makes the contexts for the next items of a span, of which the first one was
// claimed; left says how many come.
func (o *Sets) More(cs *Set, left int) *Set {
	cs.owner, cs.of = o, cs.one[:]
	if left > 1 {
		cs.of = make([]Context, min(left, maxSet))
	}
	for i := range cs.of {
		cs.of[i].set = cs
	}
	if cs.Common.Timeout > 0 {
		deadlines := make([]int64, len(cs.of))
		cs.deadlines = &deadlines
	}
	o.current.Store(cs)
	if early := o.cancelled.Load(); early>>32 == cs.Batch {
		cs.cancel(int(uint32(early)))
	}
	return cs
}

// live is the live part of a ctx of the set, nil while nobody looks at it.
func (cs *Set) live(at int) *liveContext {
	if all := cs.lives.Load(); all != nil {
		return all[at].Load()
	}
	return nil
}

// makeLive gives a ctx of the set a live part, unless it has one, and returns the
// one that it has then.
func (cs *Set) makeLive(at int, fresh *liveContext) *liveContext {
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
func (cs *Set) over(at int) bool {
	return cs.owner.current.Load() != cs || cs.Claims.Begun() > cs.First+at+1
}

// Forget lets go of the last batch's.
func (o *Sets) Forget() { o.current.Store(nil) }

// Cancel ends the ctx of an item, now or, when it has none yet, as soon as More
// makes it.
func (o *Sets) Cancel(batch uint64, item int) {
	o.cancelled.Store(target(batch, item))
	if cs := o.current.Load(); cs != nil && cs.Batch == batch {
		cs.cancel(item)
	}
}

func (cs *Set) cancel(item int) {
	if item >= cs.First && item < cs.First+len(cs.of) {
		cs.of[item-cs.First].cancel()
	}
}

// Returned ends the ctx of a call that has returned, if anybody cares.
func (cs *Set) Returned(at int) {
	if cs.live(at) != nil {
		cs.of[at].cancel()
	}
}

// target is a request to cancel as one number.
func target(batch uint64, item int) uint64 { return batch<<32 | uint64(item) }

// Has says whether the ctx of an item is one of these, of that batch.
func (cs *Set) Has(item int) bool { return item < cs.First+len(cs.of) }

// Live says whether somebody looks at one of them.
func (cs *Set) Live() bool { return cs.lives.Load() != nil }

// SetDeadline says when the Timeout of the task at a place ends, in a set of tasks with one; 0: never.
func (cs *Set) SetDeadline(at int, deadline int64) { (*cs.deadlines)[at] = deadline }

// At is the ctx at a place, from 0.
func (cs *Set) At(at int) *Context { return &cs.of[at] }

// All are the ctxs, in order.
func (cs *Set) All() []Context { return cs.of }
