package task

import (
	"context"
	"sync/atomic"
)

// Calls are some consecutive calls of one job, made on goroutines of this process. They belong to one
// goroutine, and keep what they return.
type Calls interface {
	// Call makes call i, from 0.
	Call(ctx context.Context, i int) error
	// CallAll makes one call after the other as long as turn.Next, until one fails.
	CallAll(turn *Turn) error
	// Free is called when nobody will look at what the calls have returned any more.
	Free()
}

// Turn is the calls of a span being made, one after the other.
type Turn struct {
	// At is the call that is to be made, from 0.
	At int

	host   TurnHost
	told   *atomic.Bool // results will be told soon, should the call take long
	claims *Claims
	sets   *Sets
	batch  uint64
	common *Common
	index  int             // of the span's first task in its job
	values context.Context // of the span's caller

	left  int  // calls of the span after At
	item  int  // the place of At in the batch
	over  bool // no more may be begun
	timed bool // the host wants to know of each begin

	set  *Set      // the ctx of At is the first one,
	ctxs []Context // and these are behind it
	size int
}

// TurnHost is the worker whose turn it is. Its methods are called on the goroutine that makes the calls.
type TurnHost interface {
	// Beginning is called before a timed call is claimed, Begun when it is.
	Beginning()
	Begun()
	// TellSoon has the results that there are told soon, should the next call take long. It is
	// called when told is not set.
	TellSoon()
}

// Start begins a batch, which has a number of its own.
func (t *Turn) Start(host TurnHost, told *atomic.Bool, claims *Claims, sets *Sets, batch uint64) {
	t.host, t.told, t.claims, t.sets, t.batch, t.item = host, told, claims, sets, batch, -1
}

// Enter goes to the next span, of n tasks from index on. timed: see TurnHost.
func (t *Turn) Enter(common *Common, values context.Context, index, n int, timed bool) {
	t.common, t.values, t.index, t.timed = common, values, index, timed
	t.At, t.left, t.ctxs = -1, n, nil
}

// Next begins the next call of the span; false: there is none, or none may be begun. It is
// called in front of each call, and once after the last.
func (t *Turn) Next() bool {
	if t.left == 0 {
		return false
	}
	if t.timed {
		t.host.Beginning() // before the claim: a reader of the claim sees when
	}
	if _, ok := t.claims.Claim(); !ok {
		t.over = true
		return false
	}
	if t.set != nil && t.set.Live() {
		t.set.Returned(t.ctxAt()) // after the claim of the next: see Context
	}
	t.left--
	t.At++
	t.item++
	if len(t.ctxs) > 1 {
		t.ctxs = t.ctxs[1:]
	} else {
		t.more()
	}
	if t.timed {
		t.host.Begun()
	}
	if t.item > 0 && !t.told.Load() {
		t.host.TellSoon()
	}
	return true
}

// more makes the ctxs of the next calls.
func (t *Turn) more() {
	t.set = t.sets.More(&Set{
		Common: t.common, Claims: t.claims, Batch: t.batch, First: t.item, Index: t.index + t.At, Values: t.values,
	}, t.left+1)
	t.ctxs = t.set.All()
	t.size = len(t.ctxs)
}

// Ctx is the call's.
func (t *Turn) Ctx() *Context { return &t.ctxs[0] }

// ctxAt is its place in its set.
func (t *Turn) ctxAt() int { return t.size - len(t.ctxs) }

// Item is the place of the call in its batch.
func (t *Turn) Item() int { return t.item }

// Left is how many calls of the span come after this one.
func (t *Turn) Left() int { return t.left }

// Over says whether no more calls of the batch may be begun.
func (t *Turn) Over() bool { return t.over }

// SetDeadline says when the Timeout of the call ends.
func (t *Turn) SetDeadline(deadline int64) { t.set.SetDeadline(t.ctxAt(), deadline) }

// End is called when the batch is over: the ctx of its last call ends.
func (t *Turn) End() {
	if t.set != nil {
		t.set.Returned(t.ctxAt())
	}
}
