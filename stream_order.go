package mp

import (
	"github.com/gomultiprocessing/mp/internal/pool"
)

// order decides which of the items of a stream that have ended the loop gets next. The stream's lock is held.
type order[In, Out any] interface {
	// ended is told of each item that has ended.
	ended(it *streamItem[In, Out])
	// next is the item that the loop gets next; nil: it has not ended yet. items are those not yet given back.
	next(items map[int]*streamItem[In, Out]) *streamItem[In, Out]
	// failure is the failure for which the rest of the call was cancelled, where next does not come to it any
	// more; nil: it does.
	failure(items map[int]*streamItem[In, Out]) *streamItem[In, Out]
}

// inputOrder is the order of the inputs.
type inputOrder[In, Out any] struct {
	at int // the index of the next one
}

func (*inputOrder[In, Out]) ended(*streamItem[In, Out]) {}

func (o *inputOrder[In, Out]) next(items map[int]*streamItem[In, Out]) *streamItem[In, Out] {
	it := items[o.at]
	if it == nil || !it.ended {
		return nil
	}
	o.at++
	return it
}

// failure is the first item that ended with an error: those in front of it were cancelled.
func (*inputOrder[In, Out]) failure(items map[int]*streamItem[In, Out]) *streamItem[In, Out] {
	var first *streamItem[In, Out]
	for _, it := range items {
		if it.ended && it.err != nil && (first == nil || it.index < first.index) {
			first = it
		}
	}
	return first
}

// endOrder is the order in which the tasks end.
type endOrder[In, Out any] struct {
	finished []*streamItem[In, Out] // not yet given back
}

func (o *endOrder[In, Out]) ended(it *streamItem[In, Out]) { o.finished = append(o.finished, it) }

func (o *endOrder[In, Out]) next(map[int]*streamItem[In, Out]) *streamItem[In, Out] {
	if len(o.finished) == 0 {
		return nil
	}
	it := o.finished[0]
	o.finished = o.finished[1:]
	return it
}

func (*endOrder[In, Out]) failure(map[int]*streamItem[In, Out]) *streamItem[In, Out] { return nil }

// streamItem is one input and what became of it.
type streamItem[In, Out any] struct {
	index    int
	in       In
	out      [1]Out
	err      error
	ended    bool
	attempts int
	pid      int
	id       uint64
	measure  pool.Measure
}
