package waitq

// waiter is a goroutine that waits in a queue, or a watcher: a function that is called.
type waiter struct {
	queue  *Queue // nil: a background leader
	ticket int    // see WaitTicket
	since  int64
	wakeup chan struct{}
	woken  bool
	peek   func() bool // reports whether there is a reason to try; nil: the queue's ready counts
	notify func()      // a watcher's; nil: a goroutine waits

	inQueue links // in its queue
	inLot   links // in the parking lot's list of parked goroutines
}

// links are a waiter's links in a list.
type links struct {
	list       *waiterList // nil: in no list
	prev, next *waiter
}

// waiterList is a list of waiters in order of arrival. All its operations take constant time.
// The parking lot's lock guards it.
type waiterList struct {
	first, last *waiter
	links       func(w *waiter) *links
}

func queueLinks(w *waiter) *links { return &w.inQueue }
func lotLinks(w *waiter) *links   { return &w.inLot }

// push appends w.
func (ws *waiterList) push(w *waiter) {
	l := ws.links(w)
	l.list, l.prev = ws, ws.last
	if ws.last == nil {
		ws.first = w
	} else {
		ws.links(ws.last).next = w
	}
	ws.last = w
}

// remove removes w, if it is in this list.
func (ws *waiterList) remove(w *waiter) {
	l := ws.links(w)
	if l.list != ws {
		return
	}
	if l.prev == nil {
		ws.first = l.next
	} else {
		ws.links(l.prev).next = l.next
	}
	if l.next == nil {
		ws.last = l.prev
	} else {
		ws.links(l.next).prev = l.prev
	}
	*l = links{}
}

// next is the waiter behind w.
func (ws *waiterList) next(w *waiter) *waiter { return ws.links(w).next }
