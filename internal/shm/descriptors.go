package shm

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// heldAtLeast is how many descriptors are held before anybody thinks of garbage, where
// the process may have many.
const minBeforeGC = 1000

// held counts descriptors that their handles let go of when they are garbage. The
// collector sees handles of a few bytes and no reason to run, while they use up what the
// process may have; so when they have doubled, or half of what was free is used, it is told to.
var descriptors struct {
	count, limit atomic.Int64
	collecting   atomic.Bool
}

var maxDescriptors = sync.OnceValue(descriptorLimit)

// Held says that n descriptors more, or less, depend on the collector. It does not wait.
func Held(n int) {
	now := descriptors.count.Add(int64(n))
	if n > 0 && now > descriptors.limit.Load() && descriptors.collecting.CompareAndSwap(false, true) {
		if descriptors.limit.Load() == 0 { // the first one
			descriptors.limit.Store(nextThreshold(0, maxDescriptors()))
			descriptors.collecting.Store(false)
			return
		}
		go collect()
	}
}

func collect() {
	runtime.GC()
	time.Sleep(10 * time.Millisecond) // it starts the cleanups, and does not wait for them
	descriptors.limit.Store(nextThreshold(descriptors.count.Load(), maxDescriptors()))
	descriptors.collecting.Store(false)
}

// nextCollection is at how many descriptors garbage is looked for, when these are left.
func nextThreshold(left, most int64) int64 {
	return min(max(2*left, minBeforeGC), left+max(most-left, 0)/2+1)
}

// affordable calls get, and when descriptors or mappings have run out tries again for
// a moment after a collection, because garbage may hold them: the collector does not
// know of them and sees no reason to run.
func retryAfterGC[T any](get func() (T, error)) (T, error) {
	v, err := get()
	if !scarce(err) {
		return v, err
	}
	runtime.GC() // starts the cleanups, and does not wait for them
	for range 20 {
		if v, err = get(); !scarce(err) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return v, err
}

func scarce(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}
