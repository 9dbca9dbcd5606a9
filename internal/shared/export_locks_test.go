package shared

// Entries is how many goroutines are inside Wait, and how many of them were granted.
func (c *Condition) Entries() (waits, grants int) {
	for i := range c.entries() {
		switch c.entry(i).word.Load() & stateBits {
		case waiting:
			waits++
		case granted:
			grants++
		}
	}
	return waits, grants
}
