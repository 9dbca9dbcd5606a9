package waitq

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/list"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// parkingLot is where the goroutines of this process wait for other processes: see the
// package comment for its leader election.
type parkingLot struct {
	mu            sync.Mutex
	queues        []*Queue  // those in which a goroutine of this process waits
	heldQueues    int       // how many of them have a holder, which is checked every probeInterval
	objects       []*Object // those of these queues, and idle ones: the leader sleeps on their doorbells
	idleObjects   int       // how many of them have no such queue any more
	watchers      int
	lastProbe     int64             // when the kernel was last asked who is alive
	edges         publishedEdges    // the wait-for edges of this process
	leader        *waiter           // nil only while no goroutine is parked
	parked        list.List[waiter] // goroutines that sleep in a select and were not woken
	background    bool              // a goroutine exists that leads for watchers
	backgroundDue bool              // a timer runs that will start one

	events       atomic.Uint32            // changes when the leader must scan for a reason of this process
	leaderAsleep atomic.Uint32            // 1: the leader sleeps on events and other words
	soleBell     atomic.Pointer[doorbell] // the only word that the leader sleeps on, if it cannot include events
}

// lot is the parking lot of this process.
var lot parkingLot

const (
	// probeInterval is how often a waiter checks that a holder is alive, in case the
	// holder's parent does not report its death.
	probeInterval = 20 * time.Millisecond
	// leaderGrace is how long a leader that has stepped down may take to park again before
	// a background goroutine leads for the watchers.
	leaderGrace = time.Millisecond
	// maxSleep is how long the leader sleeps at most.
	maxSleep = time.Second
	// The leader sleeps on an object's doorbell for objectIdleTime after the last waiter left,
	// so that a goroutine that waits again need not wake it. It does so for a few objects only.
	objectIdleTime = 100 * time.Millisecond
	maxIdleObjects = 8
)

// wakeLeader makes the leader scan all queues. It takes no lock.
func (p *parkingLot) wakeLeader() {
	p.events.Add(1)
	if p.leaderAsleep.Load() == 0 {
		return
	}
	shm.FutexWakePrivate(&p.events)
	if d := p.soleBell.Load(); d != nil {
		d.ring()
	}
}

// enqueue adds w to its queue.
func (p *parkingLot) enqueue(w *waiter) {
	q := w.queue
	w.since, w.wakeup = shm.Now(), make(chan struct{}, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.empty() {
		q.index = len(p.queues)
		p.queues = append(p.queues, q)
		if q.holder != nil {
			p.heldQueues++
			if p.heldQueues == 1 && p.leader != nil {
				p.wakeLeader() // its timeout is too long
			}
		}
		p.listen(q.object)
	}
	if w.peek != nil {
		q.observers.PushBack(&w.inQueue, w)
	} else {
		q.takers.PushBack(&w.inQueue, w)
	}
	if w.ticket != noTicket {
		q.tickets = append(q.tickets, make([]*waiter, max(0, w.ticket+1-len(q.tickets)))...)
		q.tickets[w.ticket] = w
	}
	if w.notify != nil {
		p.watchers++
	}
}

// listen counts a queue of the object that has waiters now, and makes the leader sleep on the
// object's doorbell. The caller holds the lock.
func (p *parkingLot) listen(o *Object) {
	if o.waitingQueues++; o.waitingQueues > 1 {
		return
	}
	if o.listened {
		p.idleObjects--
		return
	}
	o.listened = true
	p.objects = append(p.objects, o)
	if p.leader != nil {
		p.wakeLeader()
	}
}

// unlisten undoes listen for a queue whose last waiter left. The object becomes idle with its
// last queue. The caller holds the lock.
func (p *parkingLot) unlisten(o *Object) {
	if o.waitingQueues--; o.waitingQueues == 0 {
		p.idleObjects++
		o.idleSince = shm.Now()
	}
	if len(p.queues) == 0 {
		p.dropIdle(0, 0)
	}
}

// dropIdle drops idle objects: those that became idle before a time, and all of them beyond
// most. The caller holds the lock.
func (p *parkingLot) dropIdle(before int64, most int) {
	if p.idleObjects == 0 {
		return
	}
	kept := p.objects[:0]
	for _, o := range p.objects {
		if o.waitingQueues == 0 && (p.idleObjects > most || o.idleSince < before) {
			o.listened = false
			p.idleObjects--
			continue
		}
		kept = append(kept, o)
	}
	clear(p.objects[len(kept):])
	p.objects = kept
}

// announce publishes to other processes that w waits. The caller must afterwards look at what
// it waits for. It returns whether w is the first taker of this process.
func (p *parkingLot) announce(w *waiter) (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.queue.setBit(proctable.Me().Slot(), w.queue.oldestLocal())
	return w == w.queue.takers.First()
}

// dequeue removes w from its queue. It may have been woken for something that it does not
// take; if there is a reason to try, it wakes another waiter.
func (p *parkingLot) dequeue(w *waiter) {
	q := w.queue
	p.mu.Lock()
	since := q.oldestLocal()
	q.takers.Remove(&w.inQueue)
	q.observers.Remove(&w.inQueue)
	if w.ticket != noTicket {
		q.tickets[w.ticket] = nil
	}
	if w.notify != nil {
		if p.watchers--; p.watchers == 0 && p.background {
			p.wakeLeader()
		}
	}
	if q.empty() {
		last := len(p.queues) - 1
		p.queues[q.index] = p.queues[last]
		p.queues[q.index].index = q.index
		p.queues[last] = nil
		p.queues = p.queues[:last]
		if q.holder != nil {
			p.heldQueues--
			p.withdrawEdges()
		}
		p.unlisten(q.object)
		q.sinceWord(proctable.Me().Slot()).Store(0) // before the bit: see IsWaiting
		q.clearBit(proctable.Me().Slot())
	} else if now := q.oldestLocal(); now != since {
		q.setBit(proctable.Me().Slot(), now)
	}
	if p.leader == nil {
		p.startBackgroundLocked() // w might have parked and led again
	}
	p.mu.Unlock()
	if q.ready != nil && q.HasWaiters() && q.ready(false) > 0 {
		q.Wake(1)
	}
}

// park sleeps until w was woken or ctx ends. It may return early for no reason.
func (p *parkingLot) park(ctx context.Context, w *waiter) {
	p.mu.Lock()
	switch {
	case w.woken:
	case p.leader == nil:
		p.leader = w
	default:
		p.parked.PushBack(&w.inParked, w)
		p.mu.Unlock()
		select {
		case <-w.wakeup:
		case <-ctx.Done():
		}
		p.mu.Lock()
		p.parked.Remove(&w.inParked)
	}
	if p.leader == w { // from the start, or elected while parked
		select {
		case <-w.wakeup:
		default:
		}
		p.mu.Unlock()
		p.lead(ctx, w)
		p.mu.Lock()
	}
	w.woken = false
	select {
	case <-w.wakeup:
	default:
	}
	p.mu.Unlock()
}

// lead makes w the leader until it was woken or ctx ends; a background leader, until there
// are no watchers.
func (p *parkingLot) lead(ctx context.Context, w *waiter) {
	t := proctable.Current()
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, p.wakeLeader)
	}
	defer stop()
	var set futexSet
	quiet := false
	for {
		set.events, set.deaths = p.events.Load(), t.Deaths().Load()
		p.mu.Lock()
		p.dropIdle(shm.Now()-int64(objectIdleTime), maxIdleObjects)
		set.snapshot(p.objects, t.Me().Slot())
		p.scan(p.probeDue(quiet))
		if w.woken || ctx.Err() != nil || w.queue == nil && p.watchers == 0 {
			p.leader = nil
			p.electLeader()
			p.mu.Unlock()
			return
		}
		timeout := maxSleep
		if p.heldQueues > 0 {
			timeout = probeInterval
		}
		p.mu.Unlock()
		quiet = set.sleep(p, t, timeout)
	}
}

// probeDue reports whether to ask the kernel who is alive: after a sleep in which nothing
// happened, and every probeInterval when doorbells ring all the time. The caller holds the
// lock.
func (p *parkingLot) probeDue(quiet bool) bool {
	now := shm.Now()
	if !quiet && (p.heldQueues == 0 || now-p.lastProbe < int64(probeInterval)) {
		return false
	}
	p.lastProbe = now
	return true
}

// electLeader makes the goroutine that parked last the leader, because it is likely to lead
// for longest. A goroutine that is awake cannot lead: it may park late, as one does that waits
// for the latch of a stopped process. If none is parked, the next one to park leads. The caller
// holds the lock.
func (p *parkingLot) electLeader() {
	if w := p.parked.Last(); w != nil {
		p.parked.Remove(&w.inParked)
		p.leader = w
		w.wakeup <- struct{}{}
		return
	}
	if p.watchers > 0 && !p.background && !p.backgroundDue {
		p.backgroundDue = true
		time.AfterFunc(leaderGrace, p.startBackground)
	}
}

// startBackground starts a background leader if there are watchers and no leader.
func (p *parkingLot) startBackground() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.backgroundDue = false
	p.startBackgroundLocked()
}

func (p *parkingLot) startBackgroundLocked() {
	if p.watchers == 0 || p.leader != nil || p.background {
		return
	}
	p.background = true
	w := &waiter{wakeup: make(chan struct{}, 1)}
	p.leader = w
	go func() {
		p.lead(context.Background(), w)
		p.mu.Lock()
		p.background = false
		p.startBackgroundLocked()
		p.mu.Unlock()
	}()
}

// wakeLocal is for a waker in this process. It checks one queue, and wakes at least least of
// its takers, if there are as many. It returns how many takers it woke.
func (p *parkingLot) wakeLocal(q *Queue, least int) (woken int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.empty() {
		return 0
	}
	return p.scanQueue(q, false, least)
}

// scan checks all queues in which goroutines of this process wait. The caller holds the lock.
func (p *parkingLot) scan(probe bool) {
	for _, q := range p.queues {
		p.scanQueue(q, probe, 0)
	}
	p.publishEdges()
}

// scanQueue wakes the waiters of a queue that have a reason to try, and at least least
// takers. It returns how many takers it woke. Its cost is that of asking the observers and of
// waking. The caller holds the lock.
func (p *parkingLot) scanQueue(q *Queue, probe bool, least int) (woken int) {
	q.setBit(proctable.Me().Slot(), q.oldestLocal())
	for w := q.observers.First(); w != nil; w = w.inQueue.Next() {
		if w.peek() {
			p.wake(w)
		}
	}
	if q.takers.Empty() {
		return 0
	}
	n := least
	if q.ready != nil {
		n = max(least, q.ready(probe))
	}
	for w := q.takers.First(); w != nil && woken < n; w = w.inQueue.Next() {
		p.wake(w)
		woken++
	}
	return woken
}

// wake makes a waiter try again, or calls a watcher's function. The caller holds the lock.
func (p *parkingLot) wake(w *waiter) {
	if w.notify != nil {
		w.notify()
		return
	}
	if w.woken {
		return
	}
	w.woken = true
	p.parked.Remove(&w.inParked)
	if p.leader == w {
		p.wakeLeader()
		return
	}
	w.wakeup <- struct{}{}
}
