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
	maxOwnEdges = 8  // of one process
	maxEdges    = 31 // that are passed on
	// wantAfter is how long a wait lasts before anybody is told of it.
	publishAfter = probeInterval / 2
)

// Want says that a process waits for an object that another holds.
type Want struct {
	Who, Holder ID
	Object      uint64 // its number in the program
}

// wants is what this process has published. It is guarded by the hall.
type publishedEdges struct {
	any bool
	at  int64
}

// publish writes down for whom this process waits. The lock of the hall is held.
func (h *parkingLot) publishEdges() {
	now := Now()
	if h.heldQueues == 0 || now-h.edges.at < int64(probeInterval) {
		return
	}
	var all []Want
	for _, l := range h.queues {
		if l.holder != nil && len(all) < maxOwnEdges && now-l.oldestLocal() >= int64(publishAfter) {
			all = append(all, l.localEdges()...)
		}
	}
	if len(all) == 0 && !h.edges.any {
		return
	}
	h.edges = publishedEdges{any: len(all) > 0, at: now}
	me := currentTable().me
	for _, o := range ownedObjects() {
		if o.ownerQueue.holder() == me {
			o.writeEdges(me, all[:min(len(all), maxEdges)])
		}
	}
}

// withdraw takes back what does not hold any more. The lock of the hall is held.
func (h *parkingLot) withdrawEdges() {
	if h.edges.any {
		h.edges.at = 0
		h.publishEdges()
	}
	if h.heldQueues > 0 || !h.edges.any {
		return
	}
	h.edges = publishedEdges{}
	me := currentTable().me
	for _, o := range ownedObjects() {
		if ID(o.Word(edgesAt).Load()>>32) == me {
			o.Word(edgesAt).Store(0)
		}
	}
}

// owned is the objects of this process that one process at a time has.
func ownedObjects() (found []*Object) {
	objects.Lock()
	defer objects.Unlock()
	for _, known := range objects.known {
		if o := known.Value(); o != nil && o.ownerQueue != nil {
			found = append(found, o)
		}
	}
	return found
}

// tell writes wants into an object.
func (o *Object) writeEdges(me ID, all []Want) {
	head := o.Word(edgesAt)
	head.Store(0)
	for i, w := range all {
		o.Word(edgesAt + 8 + 16*i).Store(uint64(w.Who)<<32 | uint64(w.Holder))
		o.Word(edgesAt + 16 + 16*i).Store(w.Object)
	}
	head.Store(uint64(me)<<32 | uint64(len(all)))
}

// told is what the process has written that has the object.
func (o *Object) readEdges(holder ID) (all []Want) {
	head := o.Word(edgesAt).Load()
	if ID(head>>32) != holder {
		return nil
	}
	for i := range min(uint32(head), maxEdges) {
		at := edgesAt + 8 + 16*int(i)
		who := o.Word(at).Load()
		all = append(all, Want{Who: ID(who >> 32), Holder: ID(who), Object: o.Word(at + 8).Load()})
	}
	if o.Word(edgesAt).Load() != head {
		return nil
	}
	return all
}

// wanted is for whom this process waits in a line, and for whom that one does.
func (l *Line) localEdges() []Want {
	holder, me := l.holder(), currentTable().me
	if holder == 0 || holder == me {
		return nil
	}
	all := []Want{{Who: me, Holder: holder, Object: l.object.number}}
	if l.object.ownerQueue != nil {
		all = append(all, l.object.readEdges(holder)...)
	}
	return all
}

// Circle returns the processes that wait for each other in a circle, beginning with this one, which
// waits for that object; nil if there is no circle. What it finds
// may be over in the next moment.
func (o *Object) Circle(holder ID) []Want {
	me := currentTable().me
	first := Want{Who: me, Holder: holder, Object: o.number}
	if holder == me {
		return nil // another goroutine may release it
	}
	mine := ownedObjects()
	all := withoutStale(o.readEdges(holder), mine)
	who := []ID{holder}
	for _, w := range all {
		who = append(who, w.Holder)
	}
	for _, o := range mine { // who waits for what this process has
		for _, id := range who {
			if o.ownerQueue.holder() == me && id != me && o.ownerQueue.plausiblyWaiting(id) {
				all = append(all, Want{Who: id, Holder: me, Object: o.number})
			}
		}
	}
	return findCycle([]Want{first}, all, map[ID]bool{})
}

// current is the wants of which this process does not know better: a process that is stopped
// does not take back what it has published.
func withoutStale(all []Want, mine []*Object) (kept []Want) {
	for _, w := range all {
		outdated := false
		for _, o := range mine {
			outdated = outdated || o.number == w.Object && o.ownerQueue.holder() != w.Holder
		}
		if !outdated {
			kept = append(kept, w)
		}
	}
	return kept
}

// follow continues a chain of waiting processes until it comes to its beginning.
func findCycle(chain, all []Want, seen map[ID]bool) []Want {
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
		if found := findCycle(longer, all, seen); found != nil {
			return found
		}
	}
	return nil
}
