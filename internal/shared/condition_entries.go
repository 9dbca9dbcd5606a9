package shared

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// entry is a goroutine that waits.
type entry struct {
	index        int
	word, ticket *atomic.Uint64
}

func (c *Condition) entry(i int) entry {
	at := waitq.PayloadAt + i*entrySize
	return entry{i, c.object.Word(at), c.object.Word(at + 8)}
}

// entries is how many entries there are to look at.
func (c *Condition) entries() int { return int(min(c.used.Load(), MaxWaiting)) }

// addEntry makes an entry for this goroutine. The lock is held.
func (c *Condition) addEntry() (entry, uint64, error) {
	ticket := c.ticket.Add(1)
	word := ticket<<34 | waiting | uint64(proctable.Me())
	hint := c.free.Load()
	begin := int(min(hint&freeMask, MaxWaiting))
	for n := range MaxWaiting { // in vain only if one died before it said that its entry is free
		i := (begin + n) % MaxWaiting
		e := c.entry(i)
		if i >= c.entries() {
			c.used.Store(uint64(i) + 1)
		}
		if old := e.word.Load(); old&stateBits == waiting && !proctable.Alive(proctable.ID(old)) {
			e.word.CompareAndSwap(old, 0)
		}
		if e.word.Load() != 0 {
			continue
		}
		e.ticket.Store(ticket)
		shm.Point("condition.numbered")
		if e.word.CompareAndSwap(0, word) {
			if begin+n < MaxWaiting {
				c.free.CompareAndSwap(hint, hint&^freeMask|uint64(i+1))
			}
			for last := c.entered.Load(); last < ticket && !c.entered.CompareAndSwap(last, ticket); {
				last = c.entered.Load()
			}
			return e, word, nil
		}
	}
	return entry{}, 0, fmt.Errorf("more than %d wait for the condition", MaxWaiting)
}

const (
	freeMask = 1<<32 - 1
	freeUnit = 1 << 32
)

// noteFree notes that an entry is free, so that the next waiter need not look at those that are
// not.
func (c *Condition) noteFree(e entry) {
	for {
		hint := c.free.Load()
		first := min(hint&freeMask, uint64(e.index))
		if c.free.CompareAndSwap(hint, hint&^freeMask+freeUnit|first) {
			return
		}
	}
}

// candidate is an entry that waits.
type candidate struct {
	entry
	seen, number uint64
}

// waiterCache has entries that this process knows to be the first that wait. Later ones are behind
// them, so a process that notifies often need not look at all entries each time.
type waiterCache struct {
	mu        sync.Mutex
	sorted    []candidate // in order
	emptyUpTo uint64      // all tickets of waiters are higher
}

// firstWaiting returns at most n of the first entries that wait; none if none waits.
func (c *Condition) firstWaiting(n int) (found []candidate) {
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	for again := false; ; again = true {
		for len(c.cache.sorted) > 0 && len(found) < n {
			w := c.cache.sorted[0]
			c.cache.sorted = c.cache.sorted[1:]
			if c.stillWaiting(w) {
				found = append(found, w)
			}
		}
		if len(found) > 0 || again {
			break
		}
		last := c.entered.Load()
		if last == c.cache.emptyUpTo && last != 0 {
			break
		}
		if c.cache.sorted = c.sortedWaiting(last); len(c.cache.sorted) == 0 {
			c.cache.emptyUpTo = last
		}
	}
	if len(c.cache.sorted) == 0 {
		c.cache.sorted = nil
	}
	return found
}

// stillWaiting reports whether an entry waits as it did. The entry of a dead process becomes free.
func (c *Condition) stillWaiting(w candidate) bool {
	if w.word.Load() != w.seen {
		return false
	}
	if proctable.Alive(proctable.ID(w.seen)) {
		return true
	}
	if w.word.CompareAndSwap(w.seen, 0) {
		c.noteFree(w.entry)
	}
	return false
}

// sortedWaiting is all entries that wait, by ticket, up to the last ticket whose entry was
// complete before: of those none is missing.
func (c *Condition) sortedWaiting(last uint64) (found []candidate) {
	for i := range c.entries() {
		e := c.entry(i)
		w := candidate{e, e.word.Load(), e.ticket.Load()}
		if w.seen&stateBits == waiting && w.number <= last {
			found = append(found, w)
		}
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Compare(a.number, b.number) })
	return found
}
