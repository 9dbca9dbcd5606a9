package waitq

import (
	"context"
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/list"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/spin"
)

// Queue is a wait queue of an object: goroutines of all processes wait in it for one thing,
// such as an item, room, or a lock. It is safe for concurrent use.
//
// In shared memory a queue is one bit for each slot, 64 words in all, and a word in each row:
// since when the process waits, or 0 if it has just stopped. The goroutines of one process are
// in a list of that process. Setting a bit twice does no harm, unlike counting twice, and the
// bit of a killed process is cleared by the first process that rings for it in vain.
//
// No word sums up the others. The process that clears the last bit of a word could not clear
// the sum in the same instant, and would hide a bit that another process sets just then.
//
// A waker first changes what is waited for, and then looks at the bits. A waiter first sets
// its bit, and then looks at what it waits for. So one of the two sees the other.
type Queue struct {
	object *Object
	number int
	words  []atomic.Uint64
	high   *atomic.Uint64 // of the process table: the number of slots that were used
	ready  func(probe bool) int
	holder func() proctable.ID
	spin   spin.Spin

	// Guarded by the parking lot.
	takers    list.List[waiter] // the waiters that ready counts
	observers list.List[waiter] // the waiters that have a peek function
	tickets   []*waiter         // the waiters that have a ticket, by ticket
	index     int               // in the parking lot's list of queues, if a goroutine waits
}

// NewQueue returns a wait queue of an object; number is from 0 to 3. ready returns how many
// of the waiters have a reason to try; it must not block. With probe it asks the kernel
// whether a process that stands in the way is alive. If ready is nil, each waiter is asked: the
// function passed to Wait is then called as a predicate by other goroutines, and must not
// block or change anything.
func NewQueue(o *Object, number int, ready func(probe bool) int) *Queue {
	at := queuesAt + number*queueSize
	return &Queue{
		object: o, number: number, words: o.Words(at, proctable.Slots/64), high: proctable.Current().High(),
		ready: ready, spin: spin.New(),
	}
}

// WithHolder says that a process holds what the queue waits for, and may die. Its waiters are
// then checked every 20 ms. holder returns the process, or 0. It returns q.
func (q *Queue) WithHolder(holder func() proctable.ID) *Queue {
	q.holder = holder
	return q
}

// sinceWord is the word that has since when a process waits, on the shared clock.
func (q *Queue) sinceWord(slot int) *atomic.Uint64 {
	return q.object.Word(rowsAt + slot*rowSize + 8*q.number)
}

// empty reports whether no goroutine of this process waits. The caller holds the parking
// lot's lock.
func (q *Queue) empty() bool { return q.takers.Empty() && q.observers.Empty() }

// oldestLocal is since when a goroutine of this process waits; one must be waiting. The
// caller holds the parking lot's lock.
func (q *Queue) oldestLocal() int64 {
	switch t, o := q.takers.First(), q.observers.First(); {
	case t == nil:
		return o.since
	case o == nil:
		return t.since
	default:
		return min(t.since, o.since)
	}
}

// setBit publishes that this process waits, and since when.
func (q *Queue) setBit(slot int, since int64) {
	if w := q.sinceWord(slot); w.Load() != uint64(since) {
		w.Store(uint64(since))
	}
	word, bit := &q.words[slot/64], uint64(1)<<(slot%64)
	if word.Load()&bit == 0 {
		word.Or(bit)
	}
}

// clearBit clears the bit of a process that no longer waits, or that is being woken.
func (q *Queue) clearBit(slot int) { q.words[slot/64].And(^(uint64(1) << (slot % 64))) }

// usedWords are the words that can have bits: one, unless the program has more than 64
// processes.
func (q *Queue) usedWords() []atomic.Uint64 {
	return q.words[:(min(q.high.Load(), proctable.Slots)+63)/64]
}

// HasWaiters reports whether a goroutine may be waiting. It is cheap.
func (q *Queue) HasWaiters() bool {
	used := q.usedWords()
	for i := range used {
		if used[i].Load() != 0 {
			return true
		}
	}
	return false
}

// IsWaiting reports whether a goroutine of a process waits. For another process the answer
// can be outdated.
func (q *Queue) IsWaiting(id proctable.ID) bool {
	since := q.sinceWord(id.Slot()).Load()
	return since != 0 && since >= proctable.Current().JoinedAt(id.Slot())
}

// plausiblyWaiting is IsWaiting for messages. It also requires the bit and a time that is not
// in the future, because any process that has the object may have written them.
func (q *Queue) plausiblyWaiting(id proctable.ID) bool {
	slot := id.Slot()
	return q.IsWaiting(id) && q.sinceWord(slot).Load() <= uint64(shm.Now()) && q.words[slot/64].Load()&(1<<(slot%64)) != 0
}

// Oldest is the process that has waited longest, and since when, on the shared clock.
func (q *Queue) Oldest() (id proctable.ID, since int64, ok bool) {
	slot, since := q.oldestAlive(-1)
	if slot < 0 {
		return 0, 0, false
	}
	id, _ = proctable.Current().Occupant(slot)
	return id, since, true
}

// oldestAlive is the slot of the living process that has waited longest, other than skip, and
// since when; -1 if there is none. It also rings for dead processes, which clears their bits;
// if another process just got the slot, it looks for itself.
func (q *Queue) oldestAlive(skip int) (slot int, since int64) {
	for range proctable.Slots {
		slot, since = q.oldestBit(skip)
		if slot < 0 {
			return -1, 0
		}
		t := proctable.Current()
		if id, _ := t.Occupant(slot); t.Alive(id) && uint64(since) >= t.JoinedAt(slot) {
			return slot, since
		}
		q.ring(slot)
	}
	return -1, 0 // another process sets bits as fast as they are cleared
}

// oldestBit is oldestAlive for all bits, including those of dead processes.
func (q *Queue) oldestBit(skip int) (slot int, since int64) {
	slot = -1
	forEachBit(q.usedWords(), func(s int) {
		if s == skip {
			return
		}
		t := int64(q.sinceWord(s).Load())
		if t <= 0 {
			t = math.MaxInt64 // the process is about to clear its bit
		}
		if slot < 0 || t < since {
			slot, since = s, t
		}
	})
	return slot, since
}

// Wake makes n waiting goroutines try again, those of the processes that have waited longest
// first. Another process decides for itself how many of its goroutines have a reason to try.
func (q *Queue) Wake(n int) {
	me, skip := proctable.Me().Slot(), -1
	for n > 0 {
		slot, _ := q.oldestAlive(skip)
		switch {
		case slot < 0:
			return
		case slot == me: // all goroutines of this process at once, or each would be woken n times
			q.clearBit(me)
			n -= max(1, lot.wakeLocal(q, n))
			skip = me
		default:
			q.ring(slot)
			n--
		}
	}
}

// WakeAll makes all waiting goroutines try again.
func (q *Queue) WakeAll() { forEachBit(q.usedWords(), q.ring) }

// WakeProcess makes one process check its goroutines in the queue.
func (q *Queue) WakeProcess(id proctable.ID) { q.ring(id.Slot()) }

func (q *Queue) ring(slot int) {
	q.clearBit(slot)
	if slot == proctable.Me().Slot() {
		lot.wakeLocal(q, 1)
		return
	}
	q.object.doorbell(slot).ring()
}

// Wait calls try until it returns true, or until ctx ends: then it returns ctx's error. It
// calls try at least once, and on this goroutine, unless the queue has no ready function: see
// NewQueue. It spins for a moment if that has helped lately; then it enters the queue and
// parks, which costs no thread. first tells try that this goroutine is the first of its
// process in the queue.
func (q *Queue) Wait(ctx context.Context, try func(first bool) bool) error {
	return q.WaitTicket(ctx, noTicket, try)
}

const noTicket = -1

// WaitTicket is Wait for a goroutine that WakeTicket can wake by its ticket. No two waiting
// goroutines of one process may have the same ticket.
func (q *Queue) WaitTicket(ctx context.Context, ticket int, try func(first bool) bool) error {
	if q.trySpinning(try) {
		return nil
	}
	w := &waiter{queue: q, ticket: ticket}
	if q.ready == nil {
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

// WakeTicket makes the goroutine of this process that waits with a ticket try again, if there
// is one. Its cost does not depend on the number of waiters.
func (q *Queue) WakeTicket(ticket int) {
	lot.mu.Lock()
	defer lot.mu.Unlock()
	if ticket < len(q.tickets) && q.tickets[ticket] != nil {
		lot.wake(q.tickets[ticket])
	}
}

// Watch calls notify whenever peek may have become true, until stop is called. Neither may
// block, and peek must not change anything. Both may be called once more while stop runs.
func (q *Queue) Watch(peek func() bool, notify func()) (stop func()) {
	w := &waiter{queue: q, ticket: noTicket, peek: peek, notify: notify}
	lot.enqueue(w)
	lot.announce(w)
	lot.startBackground()
	return func() { lot.dequeue(w) }
}

// forEachBit calls f with the number of each bit that is set.
func forEachBit(words []atomic.Uint64, f func(bit int)) {
	for i := range words {
		for w := words[i].Load(); w != 0; w &= w - 1 {
			f(i*64 + bits.TrailingZeros64(w))
		}
	}
}
