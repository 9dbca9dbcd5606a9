package shm

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// The roster is the memory by which the processes of a program know each other. The
// main process makes it, every child inherits its descriptor, and a process becomes a
// member when it first has something that is shared.
//
// By byte offsets; all words are in the machine's byte order:
//
//	  0  magic
//	  8  how many slots were ever used, in a row from the first
//	 16  the number of the last object that was made
//	4096 the slots, 256 bytes each:
//	  +0   its life: the member's id times 256, and 1 alive or 2 dead. The id is the
//	       generation in the slot times 1024, and the slot. 0: the slot was never used
//	  +8   its pid
//	  +16  when it became a member, on the shared clock: what it finds in its place from
//	       before is of another
//	  +64  its bell, 32 bits: it counts what the member should look at
//	  +68  1: it sleeps until the bell's count changes, 32 bits
//	  +128 the number of bytes of its name, and the name, 56 bytes at most
//	  +192 whom it waits for: see want.go
const (
	rosterMagic = 0x6d702d726f737431 // "mp-rost1"
	highAt      = 8
	serialAt    = 16
	slotsAt     = 4096
	slotSize    = 256
	// Slots is how many processes can share at one time.
	Slots      = 1024
	rosterSize = slotsAt + Slots*slotSize

	lifeIn, pidIn, joinedIn, bellIn, asleepIn, nameIn, wantsIn = 0, 8, 16, 64, 68, 128, 192

	maxName = wantsIn - nameIn - 8

	stateAlive, stateDead = 1, 2
	generations           = 1 << 22
)

// ID names one process for as long as the program runs: unlike a pid, none is used
// twice. 0 is nobody.
type ID uint32

func (id ID) slot() int { return int(id % Slots) }

// family is what this process knows of the roster.
var family struct {
	sync.Mutex
	file   *os.File
	name   string
	roster atomic.Pointer[roster]
}

// roster is this process as a member.
type roster struct {
	region *Region
	life   *os.File // has the lock on our byte
	me     ID
	slots  [Slots]slot
	high   *atomic.Uint64
	serial *atomic.Uint64
}

// slot is the place of a process in the roster.
type slot struct {
	life, pid, joined *atomic.Uint64
	bell, asleep      *atomic.Uint32
}

// living is the life of a member.
func living(id ID) uint64 { return uint64(id)<<8 | stateAlive }

// member is who has the slot, and whether it lives as far as is known.
func (s *slot) member() (id ID, alive bool) {
	life := s.life.Load()
	return ID(life >> 8), life&0xff == stateAlive
}

// Family is the descriptor that every child must inherit and give to Join.
func Family() (*os.File, error) {
	if Supported() != nil {
		return nil, nil
	}
	family.Lock()
	defer family.Unlock()
	if family.file == nil {
		f, err := create("mp-family", rosterSize)
		if err != nil {
			return nil, fmt.Errorf("mp: shared memory: %w", err)
		}
		family.file = f
	}
	return family.file, nil
}

// Join says that this process is a child with this descriptor of its family and with
// this name. Without a call it is the first of its family.
func Join(f *os.File, name string) {
	family.Lock()
	defer family.Unlock()
	family.file, family.name = f, name
}

// member makes this process a member, once.
func member() (*roster, error) {
	if r := family.roster.Load(); r != nil {
		return r, nil
	}
	if err := Supported(); err != nil {
		return nil, err
	}
	f, err := Family()
	if err != nil {
		return nil, err
	}
	family.Lock()
	defer family.Unlock()
	if r := family.roster.Load(); r != nil {
		return r, nil
	}
	r, err := enroll(f, family.name)
	if err != nil {
		return nil, fmt.Errorf("mp: sharing with other processes: %w", err)
	}
	family.roster.Store(r)
	return r, nil
}

// self is this process as a member; it is one, for it has an object.
func self() *roster { return family.roster.Load() }

// Me is the id of this process, which has an object.
func Me() ID { return self().me }

func enroll(f *os.File, name string) (*roster, error) {
	if err := check(f, rosterSize); err != nil {
		return nil, err
	}
	life, err := reopen(f)
	if err != nil {
		return nil, err
	}
	region, err := mapShared(f, rosterSize)
	if err != nil {
		life.Close()
		return nil, err
	}
	r := &roster{region: region, life: life, high: region.Word(highAt), serial: region.Word(serialAt)}
	for i := range r.slots {
		at := slotsAt + i*slotSize
		r.slots[i] = slot{
			life: region.Word(at + lifeIn), pid: region.Word(at + pidIn), joined: region.Word(at + joinedIn),
			bell: region.Word32(at + bellIn), asleep: region.Word32(at + asleepIn),
		}
	}
	if err := r.take(name); err != nil {
		life.Close()
		region.unmap()
		return nil, err
	}
	return r, nil
}

// take takes the first slot that nobody has. Having the lock on its byte is what
// makes it ours.
func (r *roster) take(name string) error {
	r.region.Word(0).Store(rosterMagic)
	for i := range r.slots {
		s := &r.slots[i]
		if _, alive := s.member(); alive && isLocked(r.life, i) {
			continue
		}
		got, err := lockByte(r.life, i)
		if err != nil {
			return err
		}
		if !got {
			continue
		}
		before, unnoticed := s.member()
		generation := uint64(before)/Slots + 1
		if generation >= generations {
			continue // worn out
		}
		r.me = ID(generation*Slots + uint64(i))
		s.life.Store(uint64(r.me)<<8 | stateDead)
		s.asleep.Store(0)
		s.pid.Store(uint64(os.Getpid()))
		s.joined.Store(uint64(Now()))
		r.setName(i, name)
		clear(r.region.Bytes(slotsAt+i*slotSize+wantsIn, slotSize-wantsIn))
		s.life.Store(living(r.me))
		for high := r.high.Load(); high <= uint64(i) && !r.high.CompareAndSwap(high, uint64(i)+1); {
			high = r.high.Load()
		}
		if unnoticed {
			r.ringAll()
		}
		return nil
	}
	return errors.New("1,024 processes of this program share already")
}

func (r *roster) setName(slot int, name string) {
	if name == "" {
		name = "MainProcess"
	}
	b := r.region.Bytes(slotsAt+slot*slotSize+nameIn, 8+maxName)
	n := copy(b[8:], name)
	r.region.WordOf(b).Store(uint64(n))
}

// used is how many slots there are to look at.
func (r *roster) used() int { return int(min(r.high.Load(), Slots)) }

// want is one of the words in which a member says whom it waits for.
func (r *roster) want(id ID, i int) *atomic.Uint64 {
	return r.region.Word(slotsAt + id.slot()*slotSize + wantsIn + 8*i)
}
