package shm

import (
	"errors"
	"math/rand/v2"
	"sync"
)

// registry is what the main process does with the process table. Who lives is its word: a
// child is dead as soon as it was reaped, whatever it has left behind, and a child of a child as
// soon as the kernel says so.
var mainRegistrar registrar

type registrar struct {
	sync.Mutex
	table *table       // nil: there is none yet, or this is not the main process
	pids  map[int]bool // of the processes that have a place
	free  int          // no place below is free
}

// admit gives a place to a process. The error is errTableFull.
func (r *registrar) admit(pid int, key uint64, name string) (ID, error) {
	r.Lock()
	defer r.Unlock()
	return r.admitLocked(pid, key, name)
}

func (r *registrar) admitLocked(pid int, key uint64, name string) (ID, error) {
	t := r.table
	for slot := r.free; slot < Slots; slot++ {
		before, alive := t.occupant(slot)
		generation := uint64(before)/Slots + 1
		if alive || generation >= generations { // worn out
			continue
		}
		id := ID(generation*Slots + uint64(slot))
		t.state(slot).Store(uint64(id)<<8 | stateDead)
		t.pid(slot).Store(uint64(pid))
		t.joined(slot).Store(uint64(Now()))
		t.key(slot).Store(key)
		t.setName(slot, name)
		t.state(slot).Store(aliveState(id))
		t.high.Store(max(t.high.Load(), uint64(slot)+1))
		if r.pids == nil {
			r.pids = make(map[int]bool)
		}
		r.pids[pid] = true
		r.free = slot + 1
		r.wakeRequesters()
		return id, nil
	}
	refused := t.region.Word(refusedAt)
	n := refused.Load()
	t.region.Word(refusalsAt + 8*int(n%refusals)).Store(key)
	refused.Store(n + 1)
	r.wakeRequesters()
	return 0, errTableFull
}

// answer wakes those that wait for a place.
func (r *registrar) wakeRequesters() {
	w := r.table.region.Word32(answersAt)
	w.Add(1)
	futexWakeAll(w)
}

// bury says that a process is dead. Whatever others wait for that it had is theirs from now
// on.
func (r *registrar) markDead(id ID) {
	r.Lock()
	defer r.Unlock()
	t := r.table
	slot := id.slot()
	if !t.state(slot).CompareAndSwap(aliveState(id), uint64(id)<<8|stateDead) {
		return
	}
	delete(r.pids, int(t.pid(slot).Load()))
	r.free = min(r.free, slot)
	t.deaths.Add(1)
	futexWakeAll(t.deaths)
}

func (t *table) setName(slot int, name string) {
	if name == "" {
		name = "MainProcess"
	}
	at := slotsAt + slot*slotSize + nameIn
	n := copy(t.region.Bytes(at+8, maxName), name)
	t.region.Word(at).Store(uint64(n))
}

// Child is a child process of this one, as far as the process table is concerned.
type Child struct {
	registry *registrar
	key      uint64

	mu   sync.Mutex
	id   ID // 0: it has no place, as far as this process knows
	dead bool
}

// NewChild is a child that is about to be started.
func NewChild() *Child { return &Child{registry: &mainRegistrar, key: rand.Uint64() | 1} }

// Key is what the child must give to Join.
func (c *Child) Key() uint64 { return c.key }

// Request answers, or passes on, a request for a place that has come from the child: its own, or
// that of a process which descends from it. pid is the child's. The request's descriptor
// is this function's.
func (c *Child) Request(pid int, q Request) {
	own := q.PIDFD == nil
	if own {
		q.Key = c.key
	}
	program.Lock()
	ask := program.ask
	program.Unlock()
	switch {
	case ask != nil:
		if own {
			f, err := openPIDFD(pid)
			if err != nil {
				return // it is dead
			}
			q.PIDFD = f
		}
		ask(q)
		q.PIDFD.Close()
	case own:
		c.admit(pid, q)
	default:
		c.registry.admitDescendant(pid, q)
	}
}

// admit gives the child of the main process a place, if it lives.
func (c *Child) admit(pid int, q Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.registry.table == nil || c.dead || c.id != 0 {
		return
	}
	c.id, _ = c.registry.admit(pid, q.Key, q.Name)
}

// admitDescendant gives a place to a process that descends from the child with that pid, if the
// kernel says that it does, and has none yet. It is watched until it is dead.
func (r *registrar) admitDescendant(child int, q Request) {
	pidfd, err := dupPIDFD(q.PIDFD)
	if err != nil {
		return
	}
	id, err := r.admitVerified(child, pidfd, q)
	if err != nil {
		closePIDFD(pidfd)
		return
	}
	go func() {
		awaitExit(pidfd)
		r.markDead(id)
	}()
}

var errNotDescendant = errors.New("no process of this program, or one that has a place")

func (r *registrar) admitVerified(child, pidfd int, q Request) (ID, error) {
	pid, ok := descendant(pidfd, child)
	r.Lock()
	defer r.Unlock()
	if !ok || r.table == nil || r.pids[pid] {
		return 0, errNotDescendant
	}
	return r.admitLocked(pid, q.Key, q.Name)
}

// Buried says that the child is dead.
func (c *Child) Buried() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	if c.registry.table != nil {
		if c.id != 0 {
			c.registry.markDead(c.id)
		}
		return
	}
	if t := currentTable(); t != nil { // the main process hears of it from the kernel
		if id, ok := t.find(c.key); ok {
			t.noteDeath(id)
		}
	}
}
