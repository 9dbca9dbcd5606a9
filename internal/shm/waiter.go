package shm

// waiter is a goroutine that waits, or a function that wants to know.
type waiter struct {
	line   *Line
	seat   int // see WaitAt
	since  int64
	wake   chan struct{}
	woken  bool
	peek   func() bool // whether it is worth trying; nil: the line knows
	notify func()      // what is called then; nil: the goroutine is woken

	standing place // among those of its line
	sleeping place // among those that sleep in a select and were not woken
}

// place is where a waiter stands in a list.
type place struct {
	in         *waiters // nil: it stands in none
	prev, next *waiter
}

// waiters is a list of waiters in the order in which they came. Adding, removing and finding the
// first or the last cost the same however many there are. The hall's lock guards it.
type waiters struct {
	first, last *waiter
	place       func(w *waiter) *place
}

func standing(w *waiter) *place { return &w.standing }
func sleeping(w *waiter) *place { return &w.sleeping }

// push adds w as the last.
func (ws *waiters) push(w *waiter) {
	p := ws.place(w)
	p.in, p.prev = ws, ws.last
	if ws.last == nil {
		ws.first = w
	} else {
		ws.place(ws.last).next = w
	}
	ws.last = w
}

// remove takes w out, if it is in.
func (ws *waiters) remove(w *waiter) {
	p := ws.place(w)
	if p.in != ws {
		return
	}
	if p.prev == nil {
		ws.first = p.next
	} else {
		ws.place(p.prev).next = p.next
	}
	if p.next == nil {
		ws.last = p.prev
	} else {
		ws.place(p.next).prev = p.prev
	}
	*p = place{}
}

// next is the one behind w.
func (ws *waiters) next(w *waiter) *waiter { return ws.place(w).next }
