package local

import (
	"context"

	"github.com/gomultiprocessing/mp/internal/run"
)

// Turn is a span's calls being made, one after the other.
type Turn struct {
	// At is the call that is to be made, from 0.
	At int

	f      *flight
	w      *worker
	claims *run.Claims
	common *run.Common
	left   int  // calls of the span after At
	item   int  // the place of At in the batch
	over   bool // no more may be begun

	values context.Context // of the span's caller

	set  *run.Set      // the ctx of At is the first one,
	ctxs []run.Context // and these are behind it
	size int
}

func (t *Turn) start(f *flight) {
	t.f, t.w, t.claims, t.item = f, f.w, &f.claims, -1
}

// Next begins the next call of the span; false: there is none, or none may be begun. It is
// called in front of each call, and once after the last.
func (t *Turn) Next() bool {
	if t.left == 0 {
		return false
	}
	if t.f.timed {
		t.w.since.Store(t.w.crew.clock.Now()) // before the claim: who sees the claim sees when
	}
	if _, ok := t.claims.Claim(); !ok {
		t.over = true
		return false
	}
	if t.set != nil && t.set.Live() {
		t.set.Returned(t.ctxAt()) // after the claim of the next: see run.Context
	}
	t.left--
	t.At++
	t.item++
	if len(t.ctxs) > 1 {
		t.ctxs = t.ctxs[1:]
	} else {
		t.more()
	}
	if !t.f.plain {
		t.f.ready()
	}
	if t.item > 0 && !t.w.timing.Load() {
		t.w.setTimer()
	}
	return true
}

// more makes the ctxs of the next calls.
func (t *Turn) more() {
	t.set = t.w.ctxs.More(&run.Set{
		Common: t.common, Claims: t.claims, Batch: t.f.number, First: t.item, Index: t.f.b.Spans[t.f.span].First + t.At, Values: t.values,
	}, t.left+1)
	t.ctxs = t.set.All()
	t.size = len(t.ctxs)
}

// Ctx is the call's.
func (t *Turn) Ctx() *run.Context { return &t.ctxs[0] }

// ctxAt is its place in its set.
func (t *Turn) ctxAt() int { return t.size - len(t.ctxs) }
