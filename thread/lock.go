package thread

import (
	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/hooks"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// NewLock makes an mp.Lock that nobody has, for goroutines of this process. It is Python's
// threading.Lock, with everything that mp.Lock promises. It does not wait, costs some ten
// nanoseconds and no descriptor, and needs no mp.Main. The error is always nil: it is there
// so that a program moves to mp.NewLock and back by the name of the package alone.
//
// A Hold of it is never Abandoned: no goroutine dies and leaves the program behind. One that
// panics or ends while it holds the lock goes on holding it, so release by defer, or use Do.
// Owner is this process. Nobody looks for deadlocks among goroutines: a wait that ends with
// its ctx says only that another goroutine has the lock.
//
// In the input of a process, or in a message to one, it is an error: use mp.NewLock.
func NewLock() (*mp.Lock, error) { return hooks.Lock(inproc.NewLock()).(*mp.Lock), nil }
