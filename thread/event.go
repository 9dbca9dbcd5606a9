package thread

import (
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// NewEvent makes an mp.Event that is not set, for goroutines of this process, as Python's
// threading.Event. It does not wait, costs some ten nanoseconds and no descriptor, and needs
// no mp.Main. The error is always nil.
//
// In the input of a process, or in a message to one, it is an error: use mp.NewEvent.
func NewEvent() (*mp.Event, error) { return hooks.Event(inproc.NewEvent()).(*mp.Event), nil }
