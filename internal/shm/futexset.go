package shm

import (
	"sync"
	"sync/atomic"
	"time"
)

// doorbell is where other processes tell one of them to look after what it waits for in an
// object: each has one in each object, in its row. So only those that share the object can
// ring it, or spoil it.
type doorbell struct{ count, asleep *atomic.Uint32 }

func (o *Object) doorbell(slot int) doorbell {
	at := rowsAt + slot*rowSize + bellIn
	return doorbell{o.Word32(at), o.Word32(at + 4)}
}

func (d doorbell) ring() {
	d.count.Add(1)
	if d.asleep.Load() != 0 {
		futexWake(d.count)
	}
}

// bed is where the hall's leader sleeps: until the hall's pulse, the number of deaths or the
// count of a doorbell is not what it was.
type futexSet struct {
	events, deaths uint32
	bells          []doorbell
	counts         []uint32
	words          []futexWord
	sleptShort     bool
}

// listen notes the doorbells of objects as they are now.
func (b *futexSet) snapshot(objects []*Object, slot int) {
	b.bells, b.counts = b.bells[:0], b.counts[:0]
	for _, o := range objects {
		d := o.doorbell(slot)
		b.bells = append(b.bells, d)
		b.counts = append(b.counts, d.count.Load())
	}
}

// changed says whether something was heard.
func (b *futexSet) changed(h *parkingLot, t *table) bool {
	if h.events.Load() != b.events || t.deaths.Load() != b.deaths {
		return true
	}
	for i, d := range b.bells {
		if d.count.Load() != b.counts[i] {
			return true
		}
	}
	return false
}

// sleep returns when something was heard, or time is over; then it is true. It may return
// for no reason.
func (b *futexSet) sleep(h *parkingLot, t *table, rest time.Duration) (quiet bool) {
	nap := canWaitForSeveral() && len(b.bells) == 1 && !b.sleptShort
	b.sleptShort = true
	single := len(b.bells) == 1 && (nap || !canWaitForSeveral())
	if single {
		d := b.bells[0] // others may have it still when b listens to another one
		h.soleBell.Store(&d)
		defer h.soleBell.Store(nil)
	}
	h.leaderAsleep.Store(1)
	for _, d := range b.bells {
		d.asleep.Store(1)
	}
	switch {
	case b.changed(h, t):
	case nap:
		futexWait(b.bells[0].count, b.counts[0], min(rest, shortSleep))
	case single: // deaths are not heard
		futexWait(b.bells[0].count, b.counts[0], min(rest, probeInterval))
	default:
		b.block(h, t, rest)
	}
	h.leaderAsleep.Store(0)
	for _, d := range b.bells {
		d.asleep.Store(0)
	}
	return !nap && !b.changed(h, t)
}

// napTime is for how long one first sleeps by a single doorbell, which costs half as much as to
// wait for several words. Deaths are not heard meanwhile.
const shortSleep = 2 * time.Millisecond

// pollEvery is how often one looks for whom the kernel cannot wait for several words.
const pollInterval = time.Millisecond

func (b *futexSet) block(h *parkingLot, t *table, rest time.Duration) {
	if canWaitForSeveral() {
		b.blockOnAll(h, t, rest)
	} else {
		futexWaitPrivate(&h.events, b.events, min(rest, pollInterval))
	}
}

// waitForAll waits for any number of words. What is more than the kernel takes at once has
// threads of its own meanwhile.
func (b *futexSet) blockOnAll(h *parkingLot, t *table, rest time.Duration) {
	b.words = append(b.words[:0], privateWord(&h.events, b.events), sharedWord(t.deaths, b.deaths))
	n := min(len(b.bells), maxFutexWords-2)
	for i, d := range b.bells[:n] {
		b.words = append(b.words, sharedWord(d.count, b.counts[i]))
	}
	if n == len(b.bells) {
		futexWaitAny(b.words, rest)
		return
	}
	over := new(atomic.Uint32)
	var helpers sync.WaitGroup
	for ; n < len(b.bells); n += maxFutexWords - 1 {
		words := []futexWord{privateWord(over, 0)}
		for i := n; i < min(n+maxFutexWords-1, len(b.bells)); i++ {
			words = append(words, sharedWord(b.bells[i].count, b.counts[i]))
		}
		helpers.Go(func() {
			futexWaitAny(words, rest)
			if over.Load() == 0 {
				h.wakeLeader()
			}
		})
	}
	futexWaitAny(b.words, rest)
	over.Store(1)
	futexWakePrivate(over)
	helpers.Wait()
}
