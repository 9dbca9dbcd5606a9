package shm

// Alive says whether a process lives, as far as is known: a death is known as soon as
// its parent, or somebody who waits for it, has noticed.
func Alive(id ID) bool { return self().alive(id) }

func (r *roster) alive(id ID) bool {
	return id == r.me || r.slots[id.slot()].life.Load() == living(id)
}

// Probe is Alive, but asks the kernel, which costs a system call.
func Probe(id ID) bool {
	r := self()
	if !r.alive(id) {
		return false
	}
	if id == r.me {
		return true
	}
	dead, first := r.mourn(id)
	if first {
		r.ringAll() // its parent will see that somebody knows already
	}
	return !dead
}

// mourn marks a process as dead if it is, and says whether it is the first to do so. A
// stopped one is not dead.
func (r *roster) mourn(id ID) (dead, first bool) {
	if isLocked(r.life, id.slot()) {
		return false, false
	}
	return true, r.slots[id.slot()].life.CompareAndSwap(living(id), uint64(id)<<8|stateDead)
}

// Buried says that a child of this process is dead, its own children with it. Whatever others wait for that it
// had is theirs from now on.
func Buried() {
	r := self()
	if r == nil && sharing() {
		r, _ = member() // without it those that wait find out by themselves
	}
	if r == nil {
		return
	}
	found := false
	for i := range r.used() {
		id, alive := r.slots[i].member()
		if !alive || id == r.me {
			continue
		}
		_, first := r.mourn(id)
		found = found || first
	}
	if found {
		r.ringAll()
	}
}

// sharing says whether any process of the family is a member.
func sharing() bool {
	family.Lock()
	defer family.Unlock()
	var high [8]byte
	if family.file == nil {
		return false
	}
	_, err := family.file.ReadAt(high[:], highAt)
	return err == nil && nativeWord(high[:]) != 0
}

// ringAll has all processes look after what they wait for.
func (r *roster) ringAll() {
	for i := range r.used() {
		if _, alive := r.slots[i].member(); alive {
			r.ring(i)
		}
	}
}

// ring has one process look after what it waits for.
func (r *roster) ring(slot int) {
	s := &r.slots[slot]
	s.bell.Add(1)
	if s.asleep.Load() != 0 {
		futexWake(s.bell)
	}
}

// Describe says which process has an id: its pid and its name, and whether it is
// still known.
func Describe(id ID) (pid int, name string, known bool) {
	r := self()
	s := &r.slots[id.slot()]
	pid = int(s.pid.Load())
	b := r.region.Bytes(slotsAt+id.slot()*slotSize+nameIn, 8+maxName)
	name = string(b[8 : 8+min(r.region.WordOf(b).Load(), maxName)])
	now, _ := s.member()
	return pid, name, now == id
}
