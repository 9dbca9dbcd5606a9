package shm

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// minBeforeGC is how many descriptors must be open before CountDescriptors runs the garbage
// collector in a process that may have many.
const minBeforeGC = 1000

// descriptors counts the descriptors that are closed when their handles are garbage. A handle
// is a few bytes, which gives the collector no reason to run, while its descriptor counts
// against the limit of the process. So the count runs the collector when it has doubled since
// the last run, or has used up half of what was left of the limit.
var descriptors struct {
	count, limit atomic.Int64
	collecting   atomic.Bool
}

var maxDescriptors = sync.OnceValue(descriptorLimit)

// CountDescriptors adds n, which may be negative, to the number of descriptors that depend on
// the garbage collector. It may start a collection, and does not wait for it.
func CountDescriptors(n int) {
	now := descriptors.count.Add(int64(n))
	if n > 0 && now > descriptors.limit.Load() && descriptors.collecting.CompareAndSwap(false, true) {
		if descriptors.limit.Load() == 0 { // the first call
			descriptors.limit.Store(nextThreshold(0, maxDescriptors()))
			descriptors.collecting.Store(false)
			return
		}
		go collect()
	}
}

func collect() {
	runtime.GC()
	time.Sleep(10 * time.Millisecond) // GC starts the cleanups, but does not wait for them
	descriptors.limit.Store(nextThreshold(descriptors.count.Load(), maxDescriptors()))
	descriptors.collecting.Store(false)
}

// nextThreshold is the count at which the collector runs next, when left descriptors are open
// and the process may have most.
func nextThreshold(left, most int64) int64 {
	return min(max(2*left, minBeforeGC), left+max(most-left, 0)/2+1)
}

// retryAfterGC calls get. When descriptors or mappings have run out, garbage may hold them: so
// it runs the collector, and tries again for some 20 ms while cleanups run.
func retryAfterGC[T any](get func() (T, error)) (T, error) {
	v, err := get()
	if !exhausted(err) {
		return v, err
	}
	runtime.GC() // starts the cleanups, but does not wait for them
	for range 20 {
		if v, err = get(); !exhausted(err) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return v, err
}

func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}
