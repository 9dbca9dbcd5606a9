package thread

import (
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/inproc"
	"github.com/gomultiprocessing/mp/internal/key"
)

// NewRLock makes an mp.RLock that nobody has, for goroutines of this process, as Python's
// threading.RLock. Who owns it is said by the ctx that its Acquire returns, as with every
// mp.RLock. All else is as with NewLock.
func NewRLock() (*mp.RLock, error) { return mp.CarryRLock(key.Key{}, inproc.NewRLock()), nil }
