package thread

import "github.com/gomultiprocessing/mp"

// NewCondition makes an mp.Condition of a lock, or with nil, of a lock of its own, as Python's
// threading.Condition: that is a Lock of NewLock, which does not nest. It does not wait, and costs
// some ten nanoseconds and no descriptor.
//
// Any number of goroutines may wait for it. None of them is woken more than was notified.
//
// The error is mp.ErrClosed for a Lock that was not made by a constructor. A condition of a Lock of
// package mp is one of mp.NewCondition, with its costs and errors. In the input of a process, or in
// a message to one, a Condition of a Lock of this package is an error: use mp.NewCondition.
func NewCondition(l *mp.Lock) (*mp.Condition, error) {
	if l == nil {
		l, _ = NewLock()
	}
	return mp.NewCondition(l)
}

// NewRLockCondition is NewCondition of an RLock, as Python's threading.Condition makes one: see
// mp.NewRLockCondition.
func NewRLockCondition(l *mp.RLock) (*mp.Condition, error) { return mp.NewRLockCondition(l) }
