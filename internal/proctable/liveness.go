package proctable

import (
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// The main process records deaths in the table. A process that waits also asks the kernel
// from time to time, so that it finds the dead while the main process is stopped or slow.
// What it finds out this way it keeps to itself: no other process has to believe it.

// observedDeaths are the deaths that this process has found out by itself.
type observedDeaths struct {
	dead           atomic.Pointer[[Slots]atomic.Uint32] // the ID of the dead process by slot; nil: no deaths yet
	lastSeenAlive  [64]atomic.Uint64                    // IDs that were alive at the last probe, and when
	otherNamespace bool                                 // this process is in another pid namespace: the table's pids mean nothing here
}

// onDeath is what OnDeath has set.
var onDeath atomic.Pointer[func()]

// OnDeath sets the function that is called when this process has observed a death that the
// main process need not have recorded yet. The function must not block for long.
func OnDeath(f func()) { onDeath.Store(&f) }

// aliveCacheTime is how long ProbeCached trusts that a process is alive.
const aliveCacheTime = 200 * time.Microsecond

// Alive reports whether a process is alive, as far as the main process or this one knows. It
// makes no system call.
func Alive(id ID) bool { return Current().Alive(id) }

// Alive reports whether a process is alive, as far as the main process or this one knows.
func (t *Table) Alive(id ID) bool {
	if id == t.me {
		return true
	}
	if t.state(id.Slot()).Load() != aliveState(id) {
		return false
	}
	dead := t.observed.dead.Load()
	return dead == nil || dead[id.Slot()].Load() != uint32(id)
}

// Probe is Alive, but also asks the kernel, which costs a few system calls.
func Probe(id ID) bool {
	t := Current()
	return t.Alive(id) && (id == t.me || !t.probe(id))
}

// ProbeCached is Probe for callers that ask often. It may report a death a fraction of a
// millisecond late.
func ProbeCached(id ID) bool {
	t := Current()
	if !t.Alive(id) {
		return false
	}
	if id == t.me {
		return true
	}
	last, now := &t.observed.lastSeenAlive[id%64], shm.Now()
	if v := last.Load(); ID(v>>32) == id && uint32(now>>10)-uint32(v) < uint32(aliveCacheTime>>10) {
		return true
	}
	if t.probe(id) {
		return false
	}
	last.Store(uint64(id)<<32 | uint64(uint32(now>>10)))
	return true
}

// probe asks the kernel whether a process is dead, and notes the death. A stopped process is
// not dead.
func (t *Table) probe(id ID) (dead bool) {
	if t.observed.otherNamespace || !processDead(int(t.pid(id.Slot()).Load())) {
		return false
	}
	t.noteDeath(id)
	return true
}

// noteDeath notes a death in this process. Other processes find it out for themselves.
func (t *Table) noteDeath(id ID) {
	dead := t.observed.dead.Load()
	for dead == nil {
		t.observed.dead.CompareAndSwap(nil, new([Slots]atomic.Uint32))
		dead = t.observed.dead.Load()
	}
	if dead[id.Slot()].Swap(uint32(id)) != uint32(id) {
		if f := onDeath.Load(); f != nil {
			(*f)()
		}
	}
}
