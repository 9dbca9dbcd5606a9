package shm

import (
	"context"
	"math"
	"sync/atomic"
)

// A Line is where goroutines of all processes wait for one thing of an object: for an
// item, for room, for a lock. What is in shared memory is one bit for each process
// that waits, and since when it does; within a process the goroutines stand in a
// list. A bit, unlike a count, is set anew without harm, and that of a process which
// was killed is cleared by the first who rings for it in vain. Since when a process
// waits is 0 when it has just ceased to.
//
// In the object a line is 64 words, with a bit for each slot. There
// is no word that sums them up: who clears the last bit of a word could not take it out of the sum
// in the same moment, and would hide the bit that another process sets just then.
//
// Who wakes first changes what is waited for, and then looks at the bits. Who waits first
// sets its bit, and then looks at what it waits for. So one of the two sees the other.
type Line struct {
	object *Object
	number int
	words  []atomic.Uint64
	high   *atomic.Uint64 // of the process table: how many slots there are to look at
	ready  func(probe bool) int
	holder func() ID
	spin   Hot

	// Guarded by the hall.
	takers    waiterList // those that ready speaks of
	observers waiterList // those that are asked
	tickets   []*waiter  // some of them, by their numbers: see WaitAt
	index     int        // the line's place in the hall's list, if somebody waits
}

// NewLine returns a line of the object. ready says for how many of those that wait it
// is worth trying, the first ones; it must not block. With probe it asks the kernel
// whether who stands in the way is alive. Without ready, each that waits is asked:
// what is given to Wait must then change nothing.
func (o *Object) NewLine(number int, ready func(probe bool) int) *Line {
	at := queuesAt + number*queueSize
	return &Line{
		object: o, number: number, words: o.Words(at, Slots/64), high: currentTable().high, ready: ready, spin: NewHot(),
		takers: waiterList{links: queueLinks}, observers: waiterList{links: queueLinks},
	}
}

// ForHeld says that what is waited for is held by a process, whom holder names: it
// may die, so that the line is looked after every 20 ms.
func (l *Line) ForHeld(holder func() ID) *Line {
	l.holder = holder
	return l
}

// since is the word that says since when a process waits, on the shared clock.
func (l *Line) sinceWord(slot int) *atomic.Uint64 {
	return l.object.Word(rowsAt + slot*rowSize + 8*l.number)
}

// empty says whether nobody of this process waits. The hall's lock is held.
func (l *Line) empty() bool { return l.takers.first == nil && l.observers.first == nil }

// oldestHere is since when this process waits, which it does. The hall's lock is held.
func (l *Line) oldestLocal() int64 {
	switch t, k := l.takers.first, l.observers.first; {
	case t == nil:
		return k.since
	case k == nil:
		return t.since
	default:
		return min(t.since, k.since)
	}
}

// set says that this process waits since then.
func (l *Line) setBit(slot int, since int64) {
	if w := l.sinceWord(slot); w.Load() != uint64(since) {
		w.Store(uint64(since))
	}
	leaf, bit := &l.words[slot/64], uint64(1)<<(slot%64)
	if leaf.Load()&bit == 0 {
		leaf.Or(bit)
	}
}

// clear says that a process waits no more, or was rung for.
func (l *Line) clearBit(slot int) { l.words[slot/64].And(^(uint64(1) << (slot % 64))) }

// used is the words that may have bits: one, but in a program of more than 64 processes.
func (l *Line) usedWords() []atomic.Uint64 { return l.words[:(min(l.high.Load(), Slots)+63)/64] }

// Waiting says whether somebody may wait.
func (l *Line) Waiting() bool {
	used := l.usedWords()
	for i := range used {
		if used[i].Load() != 0 {
			return true
		}
	}
	return false
}

// Waits says whether a process waits here. What it says of another one may be over.
func (l *Line) Waits(id ID) bool {
	since := l.sinceWord(id.slot()).Load()
	return since != 0 && since >= currentTable().joined(id.slot()).Load()
}

// waitsSoFar is Waits for a message: it does not believe a process of this object that has written
// that another one waits, unless since when could be true.
func (l *Line) plausiblyWaiting(id ID) bool {
	slot := id.slot()
	return l.Waits(id) && l.sinceWord(slot).Load() <= uint64(Now()) && l.words[slot/64].Load()&(1<<(slot%64)) != 0
}

// Oldest is the process that waits longest, and since when.
func (l *Line) Oldest() (id ID, since int64, ok bool) {
	slot, since := l.oldestAlive(-1)
	if slot < 0 {
		return 0, 0, false
	}
	id, _ = currentTable().occupant(slot)
	return id, since, true
}

// next is the slot of the process that waits longest, other than skip, and since when; -1 if
// there is none. It rings for those that have died, too: so their bits are cleared, and
// should another have the place just now, it looks for itself.
func (l *Line) oldestAlive(skip int) (slot int, since int64) {
	for range Slots {
		slot, since = l.oldestBit(skip)
		if slot < 0 {
			return -1, 0
		}
		t := currentTable()
		if id, _ := t.occupant(slot); t.alive(id) && uint64(since) >= t.joined(slot).Load() {
			return slot, since
		}
		l.ring(slot)
	}
	return -1, 0 // nonsense
}

// oldest looks at all bits, those of the dead among them.
func (l *Line) oldestBit(skip int) (slot int, since int64) {
	slot = -1
	forEachBit(l.usedWords(), func(s int) {
		if s == skip {
			return
		}
		t := int64(l.sinceWord(s).Load())
		if t <= 0 {
			t = math.MaxInt64 // it is about to clear its bit
		}
		if slot < 0 || t < since {
			slot, since = s, t
		}
	})
	return slot, since
}

// Wake has n goroutines that wait try again, those of the processes first that wait
// longest. Another process finds out by itself for how many of its own it is worth trying.
func (l *Line) Wake(n int) {
	me, skip := currentTable().me.slot(), -1
	for n > 0 {
		slot, _ := l.oldestAlive(skip)
		switch {
		case slot < 0:
			return
		case slot == me: // for all of them at once, or each would be found n times
			l.clearBit(me)
			n -= max(1, lot.wakeLocal(l, n))
			skip = me
		default:
			l.ring(slot)
			n--
		}
	}
}

// WakeAll has all that wait try again.
func (l *Line) WakeAll() { forEachBit(l.usedWords(), l.ring) }

// WakeProcess has one process look at the line.
func (l *Line) WakeProcess(id ID) { l.ring(id.slot()) }

func (l *Line) ring(slot int) {
	l.clearBit(slot)
	if slot == currentTable().me.slot() {
		lot.wakeLocal(l, 1)
		return
	}
	l.object.doorbell(slot).ring()
}

// Wait calls try until it returns true, or until ctx ends: then it returns ctx's
// error. It calls try on this goroutine, once at least, and again when there may be
// a reason. First it looks for a moment, if that has helped lately; then it stands in line
// and sleeps, without a thread of its own. first tells try that it stands in line, as
// the first of this process.
func (l *Line) Wait(ctx context.Context, try func(first bool) bool) error {
	return l.WaitAt(ctx, noTicket, try)
}

const noTicket = -1

// WaitAt is Wait of a goroutine that WakeAt finds by a number, which no other of this process
// has meanwhile.
func (l *Line) WaitAt(ctx context.Context, seat int, try func(first bool) bool) error {
	if l.trySpinning(try) {
		return nil
	}
	w := &waiter{queue: l, ticket: seat}
	if l.ready == nil {
		w.peek = func() bool { return try(true) }
	}
	lot.enqueue(w)
	for {
		if try(lot.announce(w)) {
			lot.dequeue(w)
			return nil
		}
		if err := ctx.Err(); err != nil {
			lot.dequeue(w)
			return err
		}
		lot.park(ctx, w)
	}
}

// WakeAt has one goroutine of this process try again, if it waits at that seat. It costs the same
// however many wait.
func (l *Line) WakeAt(seat int) {
	lot.mu.Lock()
	defer lot.mu.Unlock()
	if seat < len(l.tickets) && l.tickets[seat] != nil {
		lot.wake(l.tickets[seat])
	}
}

// Watch calls notify when peek, which must not block and changes nothing, may have
// become true, from now on until stop is called. notify must not block either. Both
// may be called once more while stop runs.
func (l *Line) Watch(peek func() bool, notify func()) (stop func()) {
	w := &waiter{queue: l, ticket: noTicket, peek: peek, notify: notify}
	lot.enqueue(w)
	lot.announce(w)
	lot.startBackground()
	return func() { lot.dequeue(w) }
}
