package shm

import (
	"fmt"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
)

// The process table says which processes of a program share something: the id, the pid, the
// name and the state of each. The main process makes it and is the only one that can write
// it: see createTable. Every child inherits its descriptor, and maps it for reading when it
// first has something that is shared. It then asks the main process for a place, through its
// parents: see Child and enroll.
//
// By byte offsets; all words are in the machine's byte order:
//
//	  0  magic
//	  8  how many places were ever used, in a row from the first
//	 16  deaths, 32 bits: it changes with each death of a process that has a place
//	 20  answers, 32 bits: it changes with each request for a place that was answered
//	 24  the pid namespace of the main process, by its inode; 0: not known
//	 32  how many requests were refused
//	256  the keys of the last 32 requests that were refused, by their number
//	512  when the program was stopped: see pause.go
//	4096 the places, 128 bytes each:
//	  +0   its life: the process's id times 256, and 1 alive or 2 dead. The id is the
//	       generation in the place times 4096, and the place. 0: it was never used
//	  +8   its pid
//	  +16  since when it has the place, on the shared clock: what it finds in its rows from
//	       before is of another
//	  +24  the key by which it finds its place
//	  +32  the number of bytes of its name, and the name, 56 bytes at most
const (
	tableMagic  = 0x6d702d7461626c31 // "mp-tabl1"
	highAt      = 8
	deathsAt    = 16
	answersAt   = 20
	namespaceAt = 24
	refusedAt   = 32
	refusalsAt  = 256
	refusals    = 32
	slotsAt     = 4096
	slotSize    = 128
	// Slots is how many processes can share at one time. The table, and the rows that each
	// object has for them, take memory only for the places that were used.
	Slots     = 4096
	tableSize = slotsAt + Slots*slotSize

	stateIn, pidIn, joinedIn, keyIn, nameIn = 0, 8, 16, 24, 32

	maxName = 56

	stateAlive, stateDead = 1, 2
	generations           = 1 << 20
)

// ID names one process for as long as the program runs: unlike a pid, none is used
// twice. 0 is nobody.
type ID uint32

func (id ID) slot() int { return int(id % Slots) }

// program is what this process knows of its program's process table.
var program struct {
	sync.Mutex
	file *os.File
	name string
	key  uint64        // of this process; 0 in the main process
	ask  func(Request) // the parent for a place; nil in the main process
	self atomic.Pointer[table]
}

// table is the process table as this process sees it, which has a place in it.
type table struct {
	region       *Region // for reading, but in the main process
	main         bool
	me           ID
	high         *atomic.Uint64
	deaths       *atomic.Uint32
	observed     observedDeaths
	objectSerial atomic.Uint64 // of the objects that this process made
}

func newTable(region *Region, main bool) *table {
	t := &table{region: region, main: main, high: region.Word(highAt), deaths: region.Word32(deathsAt)}
	t.observed.otherNamespace = !main && region.Word(namespaceAt).Load() != pidNamespace()
	return t
}

// living is the life of a process that is alive.
func aliveState(id ID) uint64 { return uint64(id)<<8 | stateAlive }

func (t *table) state(slot int) *atomic.Uint64 {
	return t.region.Word(slotsAt + slot*slotSize + stateIn)
}

func (t *table) pid(slot int) *atomic.Uint64 { return t.region.Word(slotsAt + slot*slotSize + pidIn) }

func (t *table) joined(slot int) *atomic.Uint64 {
	return t.region.Word(slotsAt + slot*slotSize + joinedIn)
}

func (t *table) key(slot int) *atomic.Uint64 { return t.region.Word(slotsAt + slot*slotSize + keyIn) }

// member is who has a place, and whether it lives as far as the main process knows.
func (t *table) occupant(slot int) (id ID, alive bool) {
	life := t.state(slot).Load()
	return ID(life >> 8), life&0xff == stateAlive
}

// used is how many places there are to look at.
func (t *table) used() int { return int(min(t.high.Load(), Slots)) }

// find is who has the place of that key.
func (t *table) find(key uint64) (ID, bool) {
	for i := range t.used() {
		if t.key(i).Load() == key {
			if id, alive := t.occupant(i); alive {
				return id, true
			}
		}
	}
	return 0, false
}

// Table is the descriptor that every child must inherit and give to Join; nil where
// processes share nothing.
func Table() (*os.File, error) {
	if Supported() != nil {
		return nil, nil
	}
	program.Lock()
	defer program.Unlock()
	return tableFile()
}

// tableFile is Table with the lock held.
func tableFile() (*os.File, error) {
	if program.file != nil {
		return program.file, nil
	}
	f, region, err := createTable()
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
	return f, nil
}

// Join says that this process is a child: with the descriptor of the table, the key that its
// parent's Child has for it, and its name. ask has to carry a request to the parent, which
// gives it to Child.Request. Without a call this process is the main one.
func Join(f *os.File, key uint64, name string, ask func(Request)) {
	program.Lock()
	defer program.Unlock()
	program.file, program.key, program.name, program.ask = f, key, name, ask
	pauseTable.file.Store(f)
}

// member sees to it that this process has a place, once.
func ensureJoined() (*table, error) {
	if t := program.self.Load(); t != nil {
		return t, nil
	}
	if err := Supported(); err != nil {
		return nil, err
	}
	program.Lock()
	defer program.Unlock()
	if t := program.self.Load(); t != nil {
		return t, nil
	}
	if program.ask == nil {
		if _, err := tableFile(); err != nil {
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

// self is the table of a process that has an object, and therefore a place.
func currentTable() *table { return program.self.Load() }

// Me is the id of this process, which has an object.
func Me() ID { return currentTable().me }

// number is that of a new object: no other in the program has it.
func (t *table) nextObjectNumber() uint64 {
	n := t.objectSerial.Add(1)
	if t.main {
		return n
	}
	return uint64(t.me)<<32 | n&(1<<32-1)
}

// Describe says which process has an id: its pid and its name, and whether it is
// still known.
func Describe(id ID) (pid int, name string, known bool) {
	t := currentTable()
	slot := id.slot()
	pid = int(t.pid(slot).Load())
	at := slotsAt + slot*slotSize + nameIn
	n := min(t.region.Word(at).Load(), maxName)
	name = string(t.region.Bytes(at+8, int(n)))
	now, _ := t.occupant(slot)
	return pid, name, now == id
}

// slotsIn calls f with the numbers of the bits that are set in words.
func forEachBit(words []atomic.Uint64, f func(slot int)) {
	for g := range words {
		for w := words[g].Load(); w != 0; w &= w - 1 {
			f(g*64 + bits.TrailingZeros64(w))
		}
	}
}
