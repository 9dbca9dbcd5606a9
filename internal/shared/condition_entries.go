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

// entries is how many there are to look at.
func (c *Condition) entries() int { return int(min(c.used.Load(), MaxWaiting)) }

// join makes an entry for this goroutine. The lock is held.
func (c *Condition) join() (entry, uint64, error) {
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
			for last := c.joined.Load(); last < ticket && !c.joined.CompareAndSwap(last, ticket); {
				last = c.joined.Load()
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

// freed says that an entry is free: the next that waits need not look at those that are not.
func (c *Condition) freed(e entry) {
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

// front is entries of which this process knows that they are the first of those that wait. Who
// comes later is behind them, so that who notifies often need not look at all entries each
// time.
type front struct {
	mu   sync.Mutex
	all  []candidate // in order
	none uint64      // nobody waits whose ticket is not higher
}

// first is some of those that wait, the first ones, n at most; none if nobody waits.
func (c *Condition) first(n int) (found []candidate) {
	c.front.mu.Lock()
	defer c.front.mu.Unlock()
	for again := false; ; again = true {
		for len(c.front.all) > 0 && len(found) < n {
			w := c.front.all[0]
			c.front.all = c.front.all[1:]
			if c.waits(w) {
				found = append(found, w)
			}
		}
		if len(found) > 0 || again {
			break
		}
		last := c.joined.Load()
		if last == c.front.none && last != 0 {
			break
		}
		if c.front.all = c.inOrder(last); len(c.front.all) == 0 {
			c.front.none = last
		}
	}
	if len(c.front.all) == 0 {
		c.front.all = nil
	}
	return found
}

// waits says whether an entry waits as it did. That of a dead process becomes free.
func (c *Condition) waits(w candidate) bool {
	if w.word.Load() != w.seen {
		return false
	}
	if proctable.Alive(proctable.ID(w.seen)) {
		return true
	}
	if w.word.CompareAndSwap(w.seen, 0) {
		c.freed(w.entry)
	}
	return false
}

// inOrder is all entries that wait, in the order of their tickets, up to the last that was made
// before: of those none is missing.
func (c *Condition) inOrder(last uint64) (found []candidate) {
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
