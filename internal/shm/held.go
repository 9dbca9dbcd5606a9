package shm

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// heldAtLeast is how many descriptors are held before anybody thinks of garbage, where
// the process may have many.
const heldAtLeast = 1000

// held counts descriptors that their handles let go of when they are garbage. The
// collector sees handles of a few bytes and no reason to run, while they use up what the
// process may have; so when they have doubled, or half of what was free is used, it is told to.
var held struct {
	now, limit atomic.Int64
	collecting atomic.Bool
}

var mostHeld = sync.OnceValue(descriptorsAtMost)

// Held says that n descriptors more, or less, depend on the collector. It does not wait.
func Held(n int) {
	now := held.now.Add(int64(n))
	if n > 0 && now > held.limit.Load() && held.collecting.CompareAndSwap(false, true) {
		if held.limit.Load() == 0 { // the first one
			held.limit.Store(nextCollection(0, mostHeld()))
			held.collecting.Store(false)
			return
		}
		go collect()
	}
}

func collect() {
	runtime.GC()
	time.Sleep(10 * time.Millisecond) // it starts the cleanups, and does not wait for them
	held.limit.Store(nextCollection(held.now.Load(), mostHeld()))
	held.collecting.Store(false)
}

// nextCollection is at how many descriptors garbage is looked for, when these are left.
func nextCollection(left, most int64) int64 {
	return min(max(2*left, heldAtLeast), left+max(most-left, 0)/2+1)
}
