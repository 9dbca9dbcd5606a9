package talk

import "time"

// A process that sleeps needs tens of microseconds to wake up, many times what a short
// call takes. So whoever waits for the other side looks at the page for a moment before
// it sleeps, as long as that has helped lately: the worker for the next batch, the
// parent for the outcome of a single task.

// lookTime is how long one looks. It must be longer than a few wake-ups: when one side
// was interrupted and has gone to sleep, the other should still be there when it comes.
const lookTime = 200 * time.Microsecond

// look calls found until it says so, or for the time of a look.
func look(found func() bool) bool {
	end := Now() + int64(lookTime)
	for {
		for range 50 {
			if found() {
				return true
			}
		}
		if Now() >= end {
			return false
		}
	}
}
