package thread

import (
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// NewRLock makes an mp.RLock that nobody has, for goroutines of this process, as Python's
// threading.RLock. Who owns it is said by the ctx that its Acquire returns, as with every
// mp.RLock. All else is as with NewLock.
func NewRLock() (*mp.RLock, error) { return hooks.RLock(inproc.NewRLock()).(*mp.RLock), nil }
