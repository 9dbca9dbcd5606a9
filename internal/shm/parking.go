package shm

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// The hall is where the goroutines of this process wait for what other processes do.
// However many wait, one of them, the leader, sleeps in the kernel until one of the
// doorbells rings that this process has in the objects for which somebody waits, and looks for
// all; the others wait in a select. So a goroutine that waits costs no thread, and one that
// waits alone is woken without a detour.
type parkingLot struct {
	mu          sync.Mutex
	queues      []*Line   // those for which somebody waits
	heldQueues  int       // of them, those that are looked after often
	objects     []*Object // those that have such lines, or had some a moment ago: the leader hears their doorbells
	idleObjects int       // of them, those that have none any more
	watchers    int
	lastProbe   int64          // when the kernel was last asked who lives
	edges       publishedEdges // what this process has published
	leader      *waiter        // nobody sleeps in a select while there is none
	parked      waiterList     // those that sleep in a select and were not woken
	// watchman is a goroutine that leads because all that wait only watch.
	background    bool
	backgroundDue bool // a watchman comes soon, if nobody leads by then

	events       atomic.Uint32            // it changes when this process has itself something to look at
	leaderAsleep atomic.Uint32            // 1: the leader sleeps until that, or something else, changes
	soleBell     atomic.Pointer[doorbell] // by which the leader sleeps as well, where it can only by one
}

var lot = parkingLot{parked: waiterList{links: lotLinks}}

const (
	// heldEvery is how often one looks whether who holds something is alive, for the
	// case that its parent does not say so.
	probeInterval = 20 * time.Millisecond
	// comesBack is how long one who was woken may take to lead again, before those who
	// only watch get somebody of their own.
	leaderGrace = time.Millisecond
	// restEvery is how often one looks all the same, though nothing was heard.
	maxSleep = time.Second
	// An object for which nobody waits any more is heard for a while, but only so many are: who
	// waits for it again need not disturb the leader.
	objectIdleTime = 100 * time.Millisecond
	maxIdleObjects = 8
)

// nudge has the leader look after everything. It takes no lock.
func (h *parkingLot) wakeLeader() {
	h.events.Add(1)
	if h.leaderAsleep.Load() == 0 {
		return
	}
	futexWakePrivate(&h.events)
	if d := h.soleBell.Load(); d != nil {
		d.ring()
	}
}

// enter makes w one that waits in its line, behind the others.
func (h *parkingLot) enqueue(w *waiter) {
	l := w.queue
	w.since, w.wakeup = Now(), make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.empty() {
		l.index = len(h.queues)
		h.queues = append(h.queues, l)
		if l.holder != nil {
			h.heldQueues++
			if h.heldQueues == 1 && h.leader != nil {
				h.wakeLeader() // it sleeps too long
			}
		}
		h.listen(l.object)
	}
	if w.peek != nil {
		l.observers.push(w)
	} else {
		l.takers.push(w)
	}
	if w.ticket != noTicket {
		l.tickets = append(l.tickets, make([]*waiter, max(0, w.ticket+1-len(l.tickets)))...)
		l.tickets[w.ticket] = w
	}
	if w.notify != nil {
		h.watchers++
	}
}

// hear has the leader hear the doorbell of an object for which somebody waits from now on. The lock
// is held.
func (h *parkingLot) listen(o *Object) {
	if o.waitingQueues++; o.waitingQueues > 1 {
		return
	}
	if o.listened {
		h.idleObjects--
		return
	}
	o.listened = true
	h.objects = append(h.objects, o)
	if h.leader != nil {
		h.wakeLeader()
	}
}

// unhear is for an object that has a line fewer for which somebody waits. The lock is held.
func (h *parkingLot) unlisten(o *Object) {
	if o.waitingQueues--; o.waitingQueues == 0 {
		h.idleObjects++
		o.idleSince = Now()
	}
	if len(h.queues) == 0 {
		h.dropIdle(0, 0)
	}
}

// forget lets go of objects for which nobody has waited since then, and of all beyond so many. The
// lock is held.
func (h *parkingLot) dropIdle(since int64, most int) {
	if h.idleObjects == 0 {
		return
	}
	kept := h.objects[:0]
	for _, o := range h.objects {
		if o.waitingQueues == 0 && (h.idleObjects > most || o.idleSince < since) {
			o.listened = false
			h.idleObjects--
			continue
		}
		kept = append(kept, o)
	}
	clear(h.objects[len(kept):])
	h.objects = kept
}

// announce tells the other processes that somebody waits here. Who calls it looks
// afterwards at what it waits for. It says whether w is the first of this process that
// wants to take something.
func (h *parkingLot) announce(w *waiter) (first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.queue.setBit(currentTable().me.slot(), w.queue.oldestLocal())
	return w == w.queue.takers.first
}

// leave ends w's waiting. It may have been woken for something that it does not take,
// so if there is something left, another is woken.
func (h *parkingLot) dequeue(w *waiter) {
	l := w.queue
	h.mu.Lock()
	since := l.oldestLocal()
	l.takers.remove(w)
	l.observers.remove(w)
	if w.ticket != noTicket {
		l.tickets[w.ticket] = nil
	}
	if w.notify != nil {
		if h.watchers--; h.watchers == 0 && h.background {
			h.wakeLeader()
		}
	}
	if l.empty() {
		last := len(h.queues) - 1
		h.queues[l.index] = h.queues[last]
		h.queues[l.index].index = l.index
		h.queues[last] = nil
		h.queues = h.queues[:last]
		if l.holder != nil {
			h.heldQueues--
			h.withdrawEdges()
		}
		h.unlisten(l.object)
		l.sinceWord(currentTable().me.slot()).Store(0) // see Waits
		l.clearBit(currentTable().me.slot())
	} else if now := l.oldestLocal(); now != since {
		l.setBit(currentTable().me.slot(), now)
	}
	if h.leader == nil {
		h.startBackgroundLocked() // w might have led again
	}
	h.mu.Unlock()
	if l.ready != nil && l.Waiting() && l.ready(false) > 0 {
		l.Wake(1)
	}
}

// park sleeps until w was woken or ctx ends. It may return for no reason.
func (h *parkingLot) park(ctx context.Context, w *waiter) {
	h.mu.Lock()
	switch {
	case w.woken:
	case h.leader == nil:
		h.leader = w
	default:
		h.parked.push(w)
		h.mu.Unlock()
		select {
		case <-w.wakeup:
		case <-ctx.Done():
		}
		h.mu.Lock()
		h.parked.remove(w)
	}
	if h.leader == w { // perhaps since it was appointed
		select {
		case <-w.wakeup:
		default:
		}
		h.mu.Unlock()
		h.lead(ctx, w)
		h.mu.Lock()
	}
	w.woken = false
	select {
	case <-w.wakeup:
	default:
	}
	h.mu.Unlock()
}

// lead sleeps for all until w itself was woken or ctx ends.
func (h *parkingLot) lead(ctx context.Context, w *waiter) {
	t := currentTable()
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, h.wakeLeader)
	}
	defer stop()
	var bed futexSet
	quiet := false
	for {
		bed.events, bed.deaths = h.events.Load(), t.deaths.Load()
		h.mu.Lock()
		h.dropIdle(Now()-int64(objectIdleTime), maxIdleObjects)
		bed.snapshot(h.objects, t.me.slot())
		h.scan(h.probeDue(quiet))
		if w.woken || ctx.Err() != nil || w.queue == nil && h.watchers == 0 {
			h.leader = nil
			h.electLeader()
			h.mu.Unlock()
			return
		}
		rest := maxSleep
		if h.heldQueues > 0 {
			rest = probeInterval
		}
		h.mu.Unlock()
		quiet = bed.sleep(h, t, rest)
	}
}

// probe says whether it is time to ask the kernel who lives: when nothing was heard,
// and now and then also while something rings all the time. The lock is held.
func (h *parkingLot) probeDue(quiet bool) bool {
	now := Now()
	if !quiet && (h.heldQueues == 0 || now-h.lastProbe < int64(probeInterval)) {
		return false
	}
	h.lastProbe = now
	return true
}

// appoint finds somebody else to lead: one who sleeps, for who is awake may be long in coming
// back, as one who waits for the latch of a process that was stopped. It is the one that
// went to sleep last, since it is likely to lead for longest. If nobody sleeps, the next to do so
// leads. The lock is held.
func (h *parkingLot) electLeader() {
	if w := h.parked.last; w != nil {
		h.parked.remove(w)
		h.leader = w
		w.wakeup <- struct{}{}
		return
	}
	if h.watchers > 0 && !h.background && !h.backgroundDue {
		h.backgroundDue = true
		time.AfterFunc(leaderGrace, h.startBackground)
	}
}

// attend sees to it that somebody leads for those who only watch.
func (h *parkingLot) startBackground() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.backgroundDue = false
	h.startBackgroundLocked()
}

func (h *parkingLot) startBackgroundLocked() {
	if h.watchers == 0 || h.leader != nil || h.background {
		return
	}
	h.background = true
	w := &waiter{wakeup: make(chan struct{}, 1)}
	h.leader = w
	go func() {
		h.lead(context.Background(), w)
		h.mu.Lock()
		h.background = false
		h.startBackgroundLocked()
		h.mu.Unlock()
	}()
}

// answer looks after one line, for this process itself has rung for it, and wakes at
// least some of those that want to take something, if there are as many. It says how many it woke.
func (h *parkingLot) wakeLocal(l *Line, some int) (woken int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.empty() {
		return 0
	}
	return h.scanQueue(l, false, some)
}

// sweep looks after all lines. The lock is held.
func (h *parkingLot) scan(probe bool) {
	for _, l := range h.queues {
		h.scanQueue(l, probe, 0)
	}
	h.publishEdges()
}

// look wakes those of a line that should try, and at least some, and says how many of those that
// want to take something. It costs as much as it wakes, and what it costs to ask those that have to
// be asked. The lock is held.
func (h *parkingLot) scanQueue(l *Line, probe bool, some int) (woken int) {
	l.setBit(currentTable().me.slot(), l.oldestLocal())
	for w := l.observers.first; w != nil; w = l.observers.next(w) {
		if w.peek() {
			h.wake(w)
		}
	}
	if l.takers.first == nil {
		return 0
	}
	n := some
	if l.ready != nil {
		n = max(some, l.ready(probe))
	}
	for w := l.takers.first; w != nil && woken < n; w = l.takers.next(w) {
		h.wake(w)
		woken++
	}
	return woken
}

// rouse has a goroutine try again. The lock is held.
func (h *parkingLot) wake(w *waiter) {
	if w.notify != nil {
		w.notify() // it takes nothing
		return
	}
	if w.woken {
		return
	}
	w.woken = true
	h.parked.remove(w)
	if h.leader == w {
		h.wakeLeader()
		return
	}
	w.wakeup <- struct{}{}
}
