package spawn

import "time"

// SetPartialAfter sets how long an incomplete line is held back, and returns the old value.
func SetPartialAfter(d time.Duration) time.Duration {
	d, partialAfter = partialAfter, d
	return d
}
