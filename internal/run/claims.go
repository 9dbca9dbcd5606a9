package run

import "sync/atomic"

// Claims says how many items of a batch were begun, and how many may be, in one word, so
// that who begins an item and who takes items back agree. It may be in shared memory.
type Claims atomic.Uint64

func (c *Claims) word() *atomic.Uint64 { return (*atomic.Uint64)(c) }

// Open makes it that of a batch of n items, none of them begun.
func (c *Claims) Open(n int) { c.word().Store(uint64(n) << 32) }

// Claim begins the next item of the batch; ok is false when it may not be begun.
func (c *Claims) Claim() (item int, ok bool) {
	w := c.word()
	for {
		v := w.Load()
		if uint32(v) >= uint32(v>>32) {
			return 0, false
		}
		if w.CompareAndSwap(v, v+1) {
			return int(uint32(v)), true
		}
	}
}

// Limit lowers the number of items that may be begun to n, or to those begun if they are
// more, and returns what it is now.
func (c *Claims) Limit(n int) int {
	w := c.word()
	for {
		v := w.Load()
		begun, limit := int(uint32(v)), int(v>>32)
		to := max(begun, n)
		if to >= limit {
			return limit
		}
		if w.CompareAndSwap(v, uint64(to)<<32|uint64(begun)) {
			return to
		}
	}
}

// Begun is how many items were begun.
func (c *Claims) Begun() int { return int(uint32(c.word().Load())) }
