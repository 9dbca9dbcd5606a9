package proctable

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/shm"
)

// The layout of the table, in byte offsets. All words are in the machine's byte order.
//
//	   0  magic
//	   8  how many slots were ever used; they are contiguous from slot 0
//	  16  deaths, 32 bits: changes whenever a process that has a slot dies
//	  20  answers, 32 bits: changes whenever a request for a slot was answered
//	  24  the inode of the main process's pid namespace; 0: unknown
//	  32  how many requests were refused
//	 256  the keys of the last 32 refused requests; request n is at n mod 32
//	 512  the pause log: see package shm
//	4096  the slots, 128 bytes each:
//	  +0  the state word: the process's ID times 256, plus 1 if it is alive or 2 if it is
//	      dead. The ID is the generation of the slot times 4096, plus the slot. 0: the slot
//	      was never used
//	  +8  the pid
//	 +16  when the process got the slot, on the shared clock. What others find in its rows
//	      from before that time belongs to the slot's previous process
//	 +24  the key by which the process finds its slot
//	 +32  the length of its name, and the name: at most 56 bytes
const (
	tableMagic  = 0x6d702d7461626c31 // "mp-tabl1"
	highAt      = 8
	deathsAt    = 16
	answersAt   = 20
	namespaceAt = 24
	refusedAt   = 32
	refusalsAt  = 256
	refusals    = 32
	pausesAt    = 512
	slotsAt     = 4096
	slotSize    = 128
	// Slots is the number of processes that can share memory at one time. The table, and
	// the rows that each object has for the slots, use memory only for slots that were used.
	Slots     = 4096
	tableSize = slotsAt + Slots*slotSize

	stateIn, pidIn, joinedIn, keyIn, nameIn = 0, 8, 16, 24, 32

	maxName = 56

	stateAlive, stateDead = 1, 2
	generations           = 1 << 20
)

// ID names one process for as long as the program runs. Unlike a pid it is never reused.
// 0 means no process.
type ID uint32

// Slot is the process's slot in the table.
func (id ID) Slot() int { return int(id % Slots) }

// program is what this process knows of its program's process table.
var program struct {
	sync.Mutex
	file *os.File
	name string
	key  uint64        // the key of this process's slot; 0 in the main process
	ask  func(Request) // sends a request for a slot to the parent; nil in the main process
	self atomic.Pointer[Table]
}

// Table is the process table as this process sees it. This process has a slot in it.
type Table struct {
	region       *shm.Region // read-only, except in the main process
	main         bool
	me           ID
	high         *atomic.Uint64
	deaths       *atomic.Uint32
	observed     observedDeaths
	objectSerial atomic.Uint64 // of the objects that this process made
}

func newTable(region *shm.Region, main bool) *Table {
	t := &Table{region: region, main: main, high: region.Word(highAt), deaths: region.Word32(deathsAt)}
	t.observed.otherNamespace = !main && region.Word(namespaceAt).Load() != pidNamespace()
	return t
}

// aliveState is the state word of a living process.
func aliveState(id ID) uint64 { return uint64(id)<<8 | stateAlive }

func (t *Table) state(slot int) *atomic.Uint64 {
	return t.region.Word(slotsAt + slot*slotSize + stateIn)
}

func (t *Table) pid(slot int) *atomic.Uint64 { return t.region.Word(slotsAt + slot*slotSize + pidIn) }

func (t *Table) joined(slot int) *atomic.Uint64 {
	return t.region.Word(slotsAt + slot*slotSize + joinedIn)
}

func (t *Table) key(slot int) *atomic.Uint64 { return t.region.Word(slotsAt + slot*slotSize + keyIn) }

// Me is the ID of this process.
func (t *Table) Me() ID { return t.me }

// JoinedAt is when the process in a slot got it, on the shared clock.
func (t *Table) JoinedAt(slot int) uint64 { return t.joined(slot).Load() }

// High is the word that counts the slots that were ever used.
func (t *Table) High() *atomic.Uint64 { return t.high }

// Deaths is the futex word that changes whenever a process that has a slot dies.
func (t *Table) Deaths() *atomic.Uint32 { return t.deaths }

// Occupant is the last process that had a slot, and whether it is alive as far as the main
// process knows.
func (t *Table) Occupant(slot int) (id ID, alive bool) {
	state := t.state(slot).Load()
	return ID(state >> 8), state&0xff == stateAlive
}

// Used is the number of slots that were ever used.
func (t *Table) Used() int { return int(min(t.high.Load(), Slots)) }

// find returns the living process whose slot has a key.
func (t *Table) find(key uint64) (ID, bool) {
	for i := range t.Used() {
		if t.key(i).Load() == key {
			if id, alive := t.Occupant(i); alive {
				return id, true
			}
		}
	}
	return 0, false
}

// File returns the table's descriptor, which every child must inherit and pass to Join. It
// is nil on systems where processes share nothing. In the main process the first call makes
// the table.
func File() (*os.File, error) {
	if shm.Supported() != nil {
		return nil, nil
	}
	program.Lock()
	defer program.Unlock()
	return fileLocked()
}

func fileLocked() (*os.File, error) {
	if program.file != nil {
		return program.file, nil
	}
	f, region, err := shm.NewSingleWriter("mp-processes", tableSize)
	if err != nil {
		return nil, fmt.Errorf("mp: shared memory: %w", err)
	}
	t := newTable(region, true)
	region.Word(0).Store(tableMagic)
	region.Word(namespaceAt).Store(pidNamespace())
	mainRegistrar.table = t
	t.me, _ = mainRegistrar.admit(os.Getpid(), 0, program.name)
	program.file = f
	program.self.Store(t)
	shm.SetPauseLog(pauseLog, pausesAt)
	return f, nil
}

// Join makes this process a child. It takes the descriptor of the table, the key that its
// parent's Child has for it, its name, and ask, which must carry a request to the parent,
// who passes it to Child.Request. A process that never calls Join is a main process.
func Join(f *os.File, key uint64, name string, ask func(Request)) {
	program.Lock()
	defer program.Unlock()
	program.file, program.key, program.name, program.ask = f, key, name, ask
	unjoined.file.Store(f)
	shm.SetPauseLog(pauseLog, pausesAt)
}

// unjoined is how a child that has no slot reads the table.
var unjoined struct {
	file   atomic.Pointer[os.File]
	once   sync.Once
	region *shm.Region
}

// pauseLog is the memory that holds the pause log: the table's. It is nil as long as there
// is no table.
func pauseLog() *shm.Region {
	if t := program.self.Load(); t != nil {
		return t.region
	}
	f := unjoined.file.Load()
	if f == nil {
		return nil
	}
	unjoined.once.Do(func() { unjoined.region, _ = shm.OpenReadOnly(f, tableSize) })
	return unjoined.region
}

// Enter makes sure that this process has a slot, and returns the table. The first call in a
// child takes some 50 microseconds, for which it waits on the main process.
func Enter() (*Table, error) {
	if t := program.self.Load(); t != nil {
		return t, nil
	}
	if err := shm.Supported(); err != nil {
		return nil, err
	}
	program.Lock()
	defer program.Unlock()
	if t := program.self.Load(); t != nil {
		return t, nil
	}
	if program.ask == nil {
		if _, err := fileLocked(); err != nil {
			return nil, err
		}
		return program.self.Load(), nil
	}
	t, err := enroll()
	if err != nil {
		return nil, fmt.Errorf("mp: sharing with other processes: %w", err)
	}
	program.self.Store(t)
	return t, nil
}

// Current is the table of a process that has called Enter; otherwise it is nil.
func Current() *Table { return program.self.Load() }

// Me is the ID of this process, which must have called Enter.
func Me() ID { return Current().me }

// NextObjectNumber is the number for a new object: unique in the program.
func (t *Table) NextObjectNumber() uint64 {
	n := t.objectSerial.Add(1)
	if t.main {
		return n
	}
	return uint64(t.me)<<32 | n&(1<<32-1)
}

// Describe returns the pid and the name of a process, and whether they are still known: they
// are, dead or alive, until another process gets the slot.
func Describe(id ID) (pid int, name string, known bool) {
	t := Current()
	slot := id.Slot()
	pid = int(t.pid(slot).Load())
	at := slotsAt + slot*slotSize + nameIn
	n := min(t.region.Word(at).Load(), maxName)
	name = string(t.region.Bytes(at+8, int(n)))
	now, _ := t.Occupant(slot)
	return pid, name, now == id
}
