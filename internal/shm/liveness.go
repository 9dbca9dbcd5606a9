package shm

import (
	"sync/atomic"
	"time"
)

// Who lives is in the process table, and that is the main process's word. A process that waits
// also asks the kernel, now and then: so the dead are found while the main process is stopped,
// and by those for whom it is too slow. What a process finds out by itself it keeps to
// itself, for nobody need believe it.

// notices are the deaths that this process has found out by itself.
type observedDeaths struct {
	dead           atomic.Pointer[[Slots]atomic.Uint32] // by their places; nil: none
	lastSeenAlive  [64]atomic.Uint64                    // who was seen alive lately, and when
	otherNamespace bool                                 // this process is in another pid namespace: the table's pids mean nothing here
}

// recently is for how long one who was seen alive is taken to be, by those that ask often.
const aliveCacheTime = 200 * time.Microsecond

// Alive says whether a process lives, as far as is known: a death is known as soon as
// the main process, or this one, has noticed.
func Alive(id ID) bool { return currentTable().alive(id) }

func (t *table) alive(id ID) bool {
	if id == t.me {
		return true
	}
	if t.state(id.slot()).Load() != aliveState(id) {
		return false
	}
	dead := t.observed.dead.Load()
	return dead == nil || dead[id.slot()].Load() != uint32(id)
}

// Probe is Alive, but asks the kernel, which costs some system calls.
func Probe(id ID) bool {
	t := currentTable()
	return t.alive(id) && (id == t.me || !t.probe(id))
}

// ProbeOften is Probe for those that ask again and again: it may be a fraction of a millisecond
// late.
func ProbeOften(id ID) bool {
	t := currentTable()
	if !t.alive(id) {
		return false
	}
	if id == t.me {
		return true
	}
	last, now := &t.observed.lastSeenAlive[id%64], Now()
	if v := last.Load(); ID(v>>32) == id && uint32(now>>10)-uint32(v) < uint32(aliveCacheTime>>10) {
		return true
	}
	if t.probe(id) {
		return false
	}
	last.Store(uint64(id)<<32 | uint64(uint32(now>>10)))
	return true
}

// probe asks the kernel whether a process is dead, and makes that known. A stopped one is not dead.
func (t *table) probe(id ID) (dead bool) {
	if t.observed.otherNamespace || !processDead(int(t.pid(id.slot()).Load())) {
		return false
	}
	t.noteDeath(id)
	return true
}

// notice notes a death. The others that wait find out as this process did.
func (t *table) noteDeath(id ID) {
	dead := t.observed.dead.Load()
	for dead == nil {
		t.observed.dead.CompareAndSwap(nil, new([Slots]atomic.Uint32))
		dead = t.observed.dead.Load()
	}
	if dead[id.slot()].Swap(uint32(id)) != uint32(id) {
		lot.wakeLeader()
		ringForAll()
	}
}
