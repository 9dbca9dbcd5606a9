package shm

// waiter is a goroutine that waits, or a function that wants to know.
type waiter struct {
	queue  *Line
	ticket int // see WaitAt
	since  int64
	wakeup chan struct{}
	woken  bool
	peek   func() bool // whether it is worth trying; nil: the line knows
	notify func()      // what is called then; nil: the goroutine is woken

	inQueue links // among those of its line
	inLot   links // among those that sleep in a select and were not woken
}

// place is where a waiter stands in a list.
type links struct {
	list       *waiterList // nil: it stands in none
	prev, next *waiter
}

// waiters is a list of waiters in the order in which they came. Adding, removing and finding the
// first or the last cost the same however many there are. The hall's lock guards it.
type waiterList struct {
	first, last *waiter
	links       func(w *waiter) *links
}

func queueLinks(w *waiter) *links { return &w.inQueue }
func lotLinks(w *waiter) *links   { return &w.inLot }

// push adds w as the last.
func (ws *waiterList) push(w *waiter) {
	p := ws.links(w)
	p.list, p.prev = ws, ws.last
	if ws.last == nil {
		ws.first = w
	} else {
		ws.links(ws.last).next = w
	}
	ws.last = w
}

// remove takes w out, if it is in.
func (ws *waiterList) remove(w *waiter) {
	p := ws.links(w)
	if p.list != ws {
		return
	}
	if p.prev == nil {
		ws.first = p.next
	} else {
		ws.links(p.prev).next = p.next
	}
	if p.next == nil {
		ws.last = p.prev
	} else {
		ws.links(p.next).prev = p.prev
	}
	*p = links{}
}

// next is the one behind w.
func (ws *waiterList) next(w *waiter) *waiter { return ws.links(w).next }
