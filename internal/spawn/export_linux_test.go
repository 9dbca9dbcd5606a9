package spawn

import "time"

// SetPartialAfter says how long the beginning of a line waits for its end, and returns what it was.
func SetPartialAfter(d time.Duration) time.Duration {
	d, partialAfter = partialAfter, d
	return d
}
