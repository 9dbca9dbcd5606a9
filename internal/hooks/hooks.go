// Package hooks is how packages of this module, such as thread, make the types of package mp on
// carriers of their own. Package mp sets the hooks while it is initialized; a program cannot reach
// them. What they return is a type of package mp, which this package does not know: the comment says
// which. Where a type parameter is needed there is a function of package mp instead: see mp.CarryQueue.
package hooks

import "github.com/gomultiprocessing/mp/internal/carrier"

// Each makes a handle of a carrier, which is the handle's from then on.
var (
	Lock      func(carrier.Lock) any      // *mp.Lock
	RLock     func(carrier.RLock) any     // *mp.RLock
	Semaphore func(carrier.Semaphore) any // *mp.Semaphore
	Event     func(carrier.Event) any     // *mp.Event
	Barrier   func(carrier.Barrier) any   // *mp.Barrier
	Counter   func(carrier.Counter) any   // *mp.Counter
)

// GoroutinePool makes a pool of goroutines, a *mp.Pool, by an mp.PoolConfig.
var GoroutinePool func(cfg any) (pool any, err error)
