package task

import "sync/atomic"

// Claims says how many items of a batch were begun, and how many may be, in one word, so
// that who begins an item and who takes items back agree. It may be in shared memory.
//
// The word holds a mark as well, which the first claim erases: a process that claims an item does not
// know the mark any more and cannot restore the word that says that nothing was begun.
//
//	mark 16 bits | limit 24 bits | begun 24 bits
type Claims atomic.Uint64

const (
	countBits = 24
	countMask = 1<<countBits - 1
	limitMask = countMask << countBits
)

func (c *Claims) word() *atomic.Uint64 { return (*atomic.Uint64)(c) }

// Open makes it that of a batch of n items, none of them begun.
func (c *Claims) Open(n int, mark uint16) {
	c.word().Store(uint64(mark)<<(2*countBits) | uint64(n)<<countBits)
}

// Claim begins the next item of the batch; ok is false when it may not be begun.
func (c *Claims) Claim() (item int, ok bool) {
	w := c.word()
	for {
		v := w.Load()
		s := Claimed(v)
		if s.Begun() >= s.Limit() {
			return 0, false
		}
		if w.CompareAndSwap(v, v&(limitMask|countMask)+1) {
			return s.Begun(), true
		}
	}
}

// Limit lowers the number of items that may be begun to n, or to those begun if they are
// more, and returns what it is now, and what the word was before.
func (c *Claims) Limit(n int) (limit int, before Claimed) {
	w := c.word()
	for {
		v := w.Load()
		s := Claimed(v)
		to := max(s.Begun(), n)
		if to >= s.Limit() {
			return s.Limit(), s
		}
		if w.CompareAndSwap(v, v&^limitMask|uint64(to)<<countBits) {
			return to, s
		}
	}
}

// Begun is how many items were begun.
func (c *Claims) Begun() int { return c.Load().Begun() }

// Load reads the word once.
func (c *Claims) Load() Claimed { return Claimed(c.word().Load()) }

// Claimed is what the word of Claims says.
type Claimed uint64

// Begun is how many items were begun.
func (s Claimed) Begun() int { return int(s & countMask) }

// Limit is how many may be begun.
func (s Claimed) Limit() int { return int(s >> countBits & countMask) }

// Mark is what Open was given, until an item is begun.
func (s Claimed) Mark() uint16 { return uint16(s >> (2 * countBits)) }
