package shm

// A process that waits for an object which another has, and that has objects for which others
// wait, says in those for whom it waits itself, and for whom that one waits in turn, as far as it
// knows. So what leads away from the holder of an object is known to those that wait for it, who
// need not share anything with the processes further on; and a process that is part of a
// circle finds itself at the end. It is all for messages: nothing depends on its truth.
//
// In an object that one process at a time has, at 1536: the id of the process that
// has written it in the high half, and the number of wants in the low half; and the wants, two
// words each: who waits in the high half, for whom in the low half; and the object.
const (
	maxWants    = 8  // of one process
	maxAllWants = 31 // that are passed on
	// wantAfter is how long a wait lasts before anybody is told of it.
	wantAfter = heldEvery / 2
)

// Want says that a process waits for an object that another holds.
type Want struct {
	Who, Holder ID
	Object      uint64 // its number in the program
}

// wants is what this process has published. It is guarded by the hall.
type wants struct {
	published bool
	at        int64
}

// publish writes down for whom this process waits. The lock of the hall is held.
func (h *hall) publish() {
	now := Now()
	if h.held == 0 || now-h.wants.at < int64(heldEvery) {
		return
	}
	var all []Want
	for _, l := range h.lines {
		if l.holder != nil && len(all) < maxWants && now-l.oldestHere() >= int64(wantAfter) {
			all = append(all, l.wanted()...)
		}
	}
	if len(all) == 0 && !h.wants.published {
		return
	}
	h.wants = wants{published: len(all) > 0, at: now}
	me := self().me
	for _, o := range owned() {
		if o.owner.holder() == me {
			o.tell(me, all[:min(len(all), maxAllWants)])
		}
	}
}

// withdraw takes back what does not hold any more. The lock of the hall is held.
func (h *hall) withdraw() {
	if h.wants.published {
		h.wants.at = 0
		h.publish()
	}
	if h.held > 0 || !h.wants.published {
		return
	}
	h.wants = wants{}
	me := self().me
	for _, o := range owned() {
		if ID(o.Word(wantsAt).Load()>>32) == me {
			o.Word(wantsAt).Store(0)
		}
	}
}

// owned is the objects of this process that one process at a time has.
func owned() (found []*Object) {
	objects.Lock()
	defer objects.Unlock()
	for _, known := range objects.known {
		if o := known.Value(); o != nil && o.owner != nil {
			found = append(found, o)
		}
	}
	return found
}

// tell writes wants into an object.
func (o *Object) tell(me ID, all []Want) {
	head := o.Word(wantsAt)
	head.Store(0)
	for i, w := range all {
		o.Word(wantsAt + 8 + 16*i).Store(uint64(w.Who)<<32 | uint64(w.Holder))
		o.Word(wantsAt + 16 + 16*i).Store(w.Object)
	}
	head.Store(uint64(me)<<32 | uint64(len(all)))
}

// told is what the process has written that has the object.
func (o *Object) told(holder ID) (all []Want) {
	head := o.Word(wantsAt).Load()
	if ID(head>>32) != holder {
		return nil
	}
	for i := range min(uint32(head), maxAllWants) {
		at := wantsAt + 8 + 16*int(i)
		who := o.Word(at).Load()
		all = append(all, Want{Who: ID(who >> 32), Holder: ID(who), Object: o.Word(at + 8).Load()})
	}
	if o.Word(wantsAt).Load() != head {
		return nil
	}
	return all
}

// wanted is for whom this process waits in a line, and for whom that one does.
func (l *Line) wanted() []Want {
	holder, me := l.holder(), self().me
	if holder == 0 || holder == me {
		return nil
	}
	all := []Want{{Who: me, Holder: holder, Object: l.object.number}}
	if l.object.owner != nil {
		all = append(all, l.object.told(holder)...)
	}
	return all
}

// Circle returns the processes that wait for each other in a circle, beginning with this one, which
// waits for that object; nil if there is no circle. What it finds
// may be over in the next moment.
func (o *Object) Circle(holder ID) []Want {
	me := self().me
	first := Want{Who: me, Holder: holder, Object: o.number}
	if holder == me {
		return nil // another goroutine may release it
	}
	mine := owned()
	all := current(o.told(holder), mine)
	who := []ID{holder}
	for _, w := range all {
		who = append(who, w.Holder)
	}
	for _, o := range mine { // who waits for what this process has
		for _, id := range who {
			if o.owner.holder() == me && id != me && o.owner.waitsSoFar(id) {
				all = append(all, Want{Who: id, Holder: me, Object: o.number})
			}
		}
	}
	return follow([]Want{first}, all, map[ID]bool{})
}

// current is the wants of which this process does not know better: a process that is stopped
// does not take back what it has published.
func current(all []Want, mine []*Object) (kept []Want) {
	for _, w := range all {
		outdated := false
		for _, o := range mine {
			outdated = outdated || o.number == w.Object && o.owner.holder() != w.Holder
		}
		if !outdated {
			kept = append(kept, w)
		}
	}
	return kept
}

// follow continues a chain of waiting processes until it comes to its beginning.
func follow(chain, all []Want, seen map[ID]bool) []Want {
	who := chain[len(chain)-1].Holder
	if seen[who] || !Alive(who) {
		return nil
	}
	seen[who] = true
	for _, w := range all {
		if w.Who != who {
			continue
		}
		longer := append(chain[:len(chain):len(chain)], w)
		if w.Holder == chain[0].Who {
			return longer
		}
		if found := follow(longer, all, seen); found != nil {
			return found
		}
	}
	return nil
}
