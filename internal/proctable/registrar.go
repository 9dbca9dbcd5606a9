package proctable

import (
	"errors"
	"math/rand/v2"
	"sync"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// registrar is the main process's side of the table: it hands out slots and records deaths.
// A child counts as dead as soon as it was reaped, whatever it left behind; a child's child
// as soon as the kernel reports its death.
type registrar struct {
	sync.Mutex
	table *Table       // nil: there is no table yet, or this is not the main process
	pids  map[int]bool // of the processes that have a slot
	free  int          // all slots below are taken
}

var mainRegistrar registrar

// admit gives a slot to a process. The only error is errTableFull.
func (r *registrar) admit(pid int, key uint64, name string) (ID, error) {
	r.Lock()
	defer r.Unlock()
	return r.admitLocked(pid, key, name)
}

func (r *registrar) admitLocked(pid int, key uint64, name string) (ID, error) {
	t := r.table
	for slot := r.free; slot < Slots; slot++ {
		before, alive := t.Occupant(slot)
		generation := uint64(before)/Slots + 1
		if alive || generation >= generations { // the slot has no IDs left
			continue
		}
		id := ID(generation*Slots + uint64(slot))
		t.state(slot).Store(uint64(id)<<8 | stateDead)
		t.pid(slot).Store(uint64(pid))
		t.joined(slot).Store(uint64(shm.Now()))
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

// wakeRequesters wakes the processes that wait for a slot.
func (r *registrar) wakeRequesters() {
	w := r.table.region.Word32(answersAt)
	w.Add(1)
	shm.FutexWakeAll(w)
}

// markDead records a death and wakes everything that waits for one. What the process held
// can be taken over from then on.
func (r *registrar) markDead(id ID) {
	r.Lock()
	defer r.Unlock()
	t := r.table
	slot := id.Slot()
	if !t.state(slot).CompareAndSwap(aliveState(id), uint64(id)<<8|stateDead) {
		return
	}
	delete(r.pids, int(t.pid(slot).Load()))
	r.free = min(r.free, slot)
	t.deaths.Add(1)
	shm.FutexWakeAll(t.deaths)
}

func (t *Table) setName(slot int, name string) {
	if name == "" {
		name = "MainProcess"
	}
	at := slotsAt + slot*slotSize + nameIn
	n := copy(t.region.Bytes(at+8, maxName), name)
	t.region.Word(at).Store(uint64(n))
}

// Child is a child of this process as far as the table is concerned. It is safe for
// concurrent use.
type Child struct {
	registrar *registrar
	key       uint64

	mu   sync.Mutex
	id   ID // 0: it has no slot, as far as this process knows
	dead bool
}

// NewChild returns a Child for a process that is about to be started.
func NewChild() *Child { return &Child{registrar: &mainRegistrar, key: rand.Uint64() | 1} }

// Key is the key that the child must pass to Join.
func (c *Child) Key() uint64 { return c.key }

// Request answers a request for a slot that arrived from the child, or passes it on to this
// process's parent. The request is the child's own or that of one of its descendants. pid is
// the child's. Request takes over the request's descriptor.
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
				return // the child is dead
			}
			q.PIDFD = f
		}
		ask(q)
		q.PIDFD.Close()
	case own:
		c.admit(pid, q)
	default:
		c.registrar.admitDescendant(pid, q)
	}
}

// admit gives a slot to a child of the main process, unless the child is dead.
func (c *Child) admit(pid int, q Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.registrar.table == nil || c.dead || c.id != 0 {
		return
	}
	c.id, _ = c.registrar.admit(pid, q.Key, q.Name)
}

// admitDescendant gives a slot to a process that has none yet, if the kernel confirms that it
// descends from the child with that pid. A goroutine then waits for its death.
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

var errNotDescendant = errors.New("not a process of this program, or it has a slot already")

func (r *registrar) admitVerified(child, pidfd int, q Request) (ID, error) {
	pid, ok := descendant(pidfd, child)
	r.Lock()
	defer r.Unlock()
	if !ok || r.table == nil || r.pids[pid] {
		return 0, errNotDescendant
	}
	return r.admitLocked(pid, q.Key, q.Name)
}

// MarkDead records the death of the child.
func (c *Child) MarkDead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	if c.registrar.table != nil {
		if c.id != 0 {
			c.registrar.markDead(c.id)
		}
		return
	}
	if t := Current(); t != nil { // the main process learns of it from the kernel
		if id, ok := t.find(c.key); ok {
			t.noteDeath(id)
		}
	}
}
