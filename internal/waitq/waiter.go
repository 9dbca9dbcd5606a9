package waitq

import "github.com/gomultiprocessing/mp/internal/list"

// waiter is a goroutine that waits in a queue, or a watcher: a function that is called.
type waiter struct {
	queue  *Queue // nil: a background leader
	ticket int    // see WaitTicket
	since  int64
	wakeup chan struct{}
	woken  bool
	peek   func() bool // reports whether there is a reason to try; nil: the queue's ready counts
	notify func()      // a watcher's; nil: a goroutine waits

	inQueue  list.Node[waiter] // in its queue's list of takers or of observers
	inParked list.Node[waiter] // in the parking lot's list
}
