package waitq

import (
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/spin"
)

// spinning is 1 while a goroutine of this process polls in a queue: one at a time does.
var spinning atomic.Int32

// triesPerLook is how often a waiter tries before it looks at the clock: trying reads a few words.
const triesPerLook = 30

// trySpinning calls try for a moment, if that has helped lately, and reports whether it returned
// true.
func (q *Queue) trySpinning(try func(first bool) bool) bool {
	if !q.spin.ShouldSpin() || !spinning.CompareAndSwap(0, 1) {
		return false
	}
	defer spinning.Store(0)
	helped := spin.Until(triesPerLook, try, false)
	q.spin.Record(helped)
	return helped
}
