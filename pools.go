package mp

import (
	"sync"
	"weak"
)

// registered are the pools of this process. Nothing of it keeps a pool from being garbage.
var registered struct {
	mu    sync.Mutex
	pools []weak.Pointer[Pool]
	prune int // at so many the list is gone through
}

// register has Pools find a pool.
func register(p *Pool) {
	r := &registered
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pools) >= r.prune {
		living()
		r.prune = 2*len(r.pools) + 16
	}
	r.pools = append(r.pools, weak.Make(p))
}

// living returns the pools that are left, and forgets the others. The lock is held.
func living() (pools []*Pool) {
	left := registered.pools[:0]
	for _, w := range registered.pools {
		if p := w.Value(); p != nil && !p.s.Over() {
			left, pools = append(left, w), append(pools, p)
		}
	}
	clear(registered.pools[len(left):])
	registered.pools = left
	return pools
}

// Pools returns the pools of this process, of processes, goroutines and all others, that have not come to their end, in
// the order in which they were made: for those who look, such as a page of the program's own. A pool
// ends when it was closed or terminated, all that was submitted is done, and its workers are gone. The list keeps no pool: one
// that the program has dropped is garbage all the same, and only what was returned
// and is still referred to keeps a pool for that long. It costs some nanoseconds a pool, and may be called by any
// goroutine.
func Pools() []*Pool {
	registered.mu.Lock()
	defer registered.mu.Unlock()
	return living()
}
