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
type hall struct {
	mu       sync.Mutex
	lines    []*Line   // those for which somebody waits
	held     int       // of them, those that are looked after often
	objects  []*Object // those that have such lines, or had some a moment ago: the leader hears their doorbells
	unused   int       // of them, those that have none any more
	watchers int
	probed   int64   // when the kernel was last asked who lives
	wants    wants   // what this process has published
	leader   *waiter // nobody sleeps in a select while there is none
	idle     waiters // those that sleep in a select and were not woken
	// watchman is a goroutine that leads because all that wait only watch.
	watchman  bool
	attending bool // a watchman comes soon, if nobody leads by then

	pulse  atomic.Uint32            // it changes when this process has itself something to look at
	asleep atomic.Uint32            // 1: the leader sleeps until that, or something else, changes
	single atomic.Pointer[doorbell] // by which the leader sleeps as well, where it can only by one
}

var theHall = hall{idle: waiters{place: sleeping}}

const (
	// heldEvery is how often one looks whether who holds something is alive, for the
	// case that its parent does not say so.
	heldEvery = 20 * time.Millisecond
	// comesBack is how long one who was woken may take to lead again, before those who
	// only watch get somebody of their own.
	comesBack = time.Millisecond
	// restEvery is how often one looks all the same, though nothing was heard.
	restEvery = time.Second
	// An object for which nobody waits any more is heard for a while, but only so many are: who
	// waits for it again need not disturb the leader.
	idleTime = 100 * time.Millisecond
	mostIdle = 8
)

// nudge has the leader look after everything. It takes no lock.
func (h *hall) nudge() {
	h.pulse.Add(1)
	if h.asleep.Load() == 0 {
		return
	}
	futexWakePrivate(&h.pulse)
	if d := h.single.Load(); d != nil {
		d.ring()
	}
}

// enter makes w one that waits in its line, behind the others.
func (h *hall) enter(w *waiter) {
	l := w.line
	w.since, w.wake = Now(), make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.empty() {
		l.at = len(h.lines)
		h.lines = append(h.lines, l)
		if l.holder != nil {
			h.held++
			if h.held == 1 && h.leader != nil {
				h.nudge() // it sleeps too long
			}
		}
		h.hear(l.object)
	}
	if w.peek != nil {
		l.lookers.push(w)
	} else {
		l.takers.push(w)
	}
	if w.seat != noSeat {
		l.seats = append(l.seats, make([]*waiter, max(0, w.seat+1-len(l.seats)))...)
		l.seats[w.seat] = w
	}
	if w.notify != nil {
		h.watchers++
	}
}

// hear has the leader hear the doorbell of an object for which somebody waits from now on. The lock
// is held.
func (h *hall) hear(o *Object) {
	if o.waits++; o.waits > 1 {
		return
	}
	if o.heard {
		h.unused--
		return
	}
	o.heard = true
	h.objects = append(h.objects, o)
	if h.leader != nil {
		h.nudge()
	}
}

// unhear is for an object that has a line fewer for which somebody waits. The lock is held.
func (h *hall) unhear(o *Object) {
	if o.waits--; o.waits == 0 {
		h.unused++
		o.idleSince = Now()
	}
	if len(h.lines) == 0 {
		h.forget(0, 0)
	}
}

// forget lets go of objects for which nobody has waited since then, and of all beyond so many. The
// lock is held.
func (h *hall) forget(since int64, most int) {
	if h.unused == 0 {
		return
	}
	kept := h.objects[:0]
	for _, o := range h.objects {
		if o.waits == 0 && (h.unused > most || o.idleSince < since) {
			o.heard = false
			h.unused--
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
func (h *hall) announce(w *waiter) (first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.line.set(self().me.slot(), w.line.oldestHere())
	return w == w.line.takers.first
}

// leave ends w's waiting. It may have been woken for something that it does not take,
// so if there is something left, another is woken.
func (h *hall) leave(w *waiter) {
	l := w.line
	h.mu.Lock()
	since := l.oldestHere()
	l.takers.remove(w)
	l.lookers.remove(w)
	if w.seat != noSeat {
		l.seats[w.seat] = nil
	}
	if w.notify != nil {
		if h.watchers--; h.watchers == 0 && h.watchman {
			h.nudge()
		}
	}
	if l.empty() {
		last := len(h.lines) - 1
		h.lines[l.at] = h.lines[last]
		h.lines[l.at].at = l.at
		h.lines[last] = nil
		h.lines = h.lines[:last]
		if l.holder != nil {
			h.held--
			h.withdraw()
		}
		h.unhear(l.object)
		l.since(self().me.slot()).Store(0) // see Waits
		l.clear(self().me.slot())
	} else if now := l.oldestHere(); now != since {
		l.set(self().me.slot(), now)
	}
	if h.leader == nil {
		h.attendLocked() // w might have led again
	}
	h.mu.Unlock()
	if l.ready != nil && l.Waiting() && l.ready(false) > 0 {
		l.Wake(1)
	}
}

// park sleeps until w was woken or ctx ends. It may return for no reason.
func (h *hall) park(ctx context.Context, w *waiter) {
	h.mu.Lock()
	switch {
	case w.woken:
	case h.leader == nil:
		h.leader = w
	default:
		h.idle.push(w)
		h.mu.Unlock()
		select {
		case <-w.wake:
		case <-ctx.Done():
		}
		h.mu.Lock()
		h.idle.remove(w)
	}
	if h.leader == w { // perhaps since it was appointed
		select {
		case <-w.wake:
		default:
		}
		h.mu.Unlock()
		h.lead(ctx, w)
		h.mu.Lock()
	}
	w.woken = false
	select {
	case <-w.wake:
	default:
	}
	h.mu.Unlock()
}

// lead sleeps for all until w itself was woken or ctx ends.
func (h *hall) lead(ctx context.Context, w *waiter) {
	t := self()
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, h.nudge)
	}
	defer stop()
	var bed bed
	quiet := false
	for {
		bed.pulse, bed.deaths = h.pulse.Load(), t.deaths.Load()
		h.mu.Lock()
		h.forget(Now()-int64(idleTime), mostIdle)
		bed.listen(h.objects, t.me.slot())
		h.sweep(h.probe(quiet))
		if w.woken || ctx.Err() != nil || w.line == nil && h.watchers == 0 {
			h.leader = nil
			h.appoint()
			h.mu.Unlock()
			return
		}
		rest := restEvery
		if h.held > 0 {
			rest = heldEvery
		}
		h.mu.Unlock()
		quiet = bed.sleep(h, t, rest)
	}
}

// probe says whether it is time to ask the kernel who lives: when nothing was heard,
// and now and then also while something rings all the time. The lock is held.
func (h *hall) probe(quiet bool) bool {
	now := Now()
	if !quiet && (h.held == 0 || now-h.probed < int64(heldEvery)) {
		return false
	}
	h.probed = now
	return true
}

// appoint finds somebody else to lead: one who sleeps, for who is awake may be long in coming
// back, as one who waits for the latch of a process that was stopped. It is the one that
// went to sleep last, since it is likely to lead for longest. If nobody sleeps, the next to do so
// leads. The lock is held.
func (h *hall) appoint() {
	if w := h.idle.last; w != nil {
		h.idle.remove(w)
		h.leader = w
		w.wake <- struct{}{}
		return
	}
	if h.watchers > 0 && !h.watchman && !h.attending {
		h.attending = true
		time.AfterFunc(comesBack, h.attend)
	}
}

// attend sees to it that somebody leads for those who only watch.
func (h *hall) attend() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attending = false
	h.attendLocked()
}

func (h *hall) attendLocked() {
	if h.watchers == 0 || h.leader != nil || h.watchman {
		return
	}
	h.watchman = true
	w := &waiter{wake: make(chan struct{}, 1)}
	h.leader = w
	go func() {
		h.lead(context.Background(), w)
		h.mu.Lock()
		h.watchman = false
		h.attendLocked()
		h.mu.Unlock()
	}()
}

// answer looks after one line, for this process itself has rung for it, and wakes at
// least some of those that want to take something, if there are as many. It says how many it woke.
func (h *hall) answer(l *Line, some int) (woken int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.empty() {
		return 0
	}
	return h.look(l, false, some)
}

// sweep looks after all lines. The lock is held.
func (h *hall) sweep(probe bool) {
	for _, l := range h.lines {
		h.look(l, probe, 0)
	}
	h.publish()
}

// look wakes those of a line that should try, and at least some, and says how many of those that
// want to take something. It costs as much as it wakes, and what it costs to ask those that have to
// be asked. The lock is held.
func (h *hall) look(l *Line, probe bool, some int) (woken int) {
	l.set(self().me.slot(), l.oldestHere())
	for w := l.lookers.first; w != nil; w = l.lookers.next(w) {
		if w.peek() {
			h.rouse(w)
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
		h.rouse(w)
		woken++
	}
	return woken
}

// rouse has a goroutine try again. The lock is held.
func (h *hall) rouse(w *waiter) {
	if w.notify != nil {
		w.notify() // it takes nothing
		return
	}
	if w.woken {
		return
	}
	w.woken = true
	h.idle.remove(w)
	if h.leader == w {
		h.nudge()
		return
	}
	w.wake <- struct{}{}
}
