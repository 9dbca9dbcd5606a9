package shm

// Each member publishes in its slot whom it waits for, in words at +192: the number of the
// object in the high half, the id of the process that holds it in the low half, 0
// when there is none. By these, who waits finds a circle that it is part of.

const maxWants = 8

// Want says that a process waits for an object that another holds.
type Want struct {
	Who, Holder ID
	Object      uint32 // its number in the program
}

// publish writes down whom this process waits for. The lock of the hall is held.
func (h *hall) publish() {
	r := self()
	n := 0
	if h.held > 0 {
		for _, l := range h.lines {
			if l.holder == nil || n == maxWants {
				continue
			}
			if id := l.holder(); id != 0 {
				r.want(r.me, n).Store(uint64(l.object.number)<<32 | uint64(id))
				n++
			}
		}
	}
	for ; n < maxWants; n++ {
		if w := r.want(r.me, n); w.Load() != 0 {
			w.Store(0)
		}
	}
}

// Circle returns the processes that wait for each other in a circle, beginning with this one, which
// waits for that object; nil if there is no circle. What it finds
// may be over in the next moment.
func Circle(object uint64, holder ID) []Want {
	r := self()
	first := Want{Who: r.me, Holder: holder, Object: uint32(object)}
	if holder == r.me {
		return nil // another goroutine may release it
	}
	return r.follow([]Want{first}, map[ID]bool{})
}

// outdated says whether this process knows better: a process that is stopped, or was not rung
// for, does not take back what it has published.
func (w Want) outdated() bool {
	objects.Lock()
	defer objects.Unlock()
	for _, known := range objects.known {
		if o := known.Value(); o != nil && uint32(o.number) == w.Object && o.owner != nil {
			return o.owner() != w.Holder
		}
	}
	return false
}

// follow continues a chain of waiting processes until it comes to its beginning.
func (r *roster) follow(chain []Want, seen map[ID]bool) []Want {
	who := chain[len(chain)-1].Holder
	if seen[who] || !r.alive(who) {
		return nil
	}
	seen[who] = true
	for i := range maxWants {
		word := r.want(who, i).Load()
		w := Want{Who: who, Holder: ID(word), Object: uint32(word >> 32)}
		if w.Holder == 0 || w.outdated() {
			continue
		}
		longer := append(chain[:len(chain):len(chain)], w)
		if w.Holder == chain[0].Who {
			return longer
		}
		if found := r.follow(longer, seen); found != nil {
			return found
		}
	}
	return nil
}
