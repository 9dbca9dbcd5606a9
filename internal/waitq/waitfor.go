package waitq

import (
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
)

// The wait-for graph has an edge from each process that waits for an object to the process
// that holds it. A cycle in it is a deadlock. Nobody has the whole graph: a process that waits
// writes edges into the objects that it owns itself, its own edges and those that it has read
// in the objects that it waits for. So the waiters of an object know the path that leads away
// from its owner, without sharing anything with the processes further on; and a process that
// is part of a cycle finds itself at the end of a path. Edges are for error messages only:
// nothing depends on them being true.
//
// An object that has one owner at a time has the edges at 1536: a word with the ID of the
// writer in the high half and the number of edges in the low half; then two words for each
// edge, the first with the waiter in the high half and the holder in the low half, the second
// with the object's number.
const (
	maxOwnEdges = 8  // that a process publishes for itself
	maxEdges    = 31 // that it writes into an object
	// publishAfter is how long a wait lasts before its edge is published.
	publishAfter = probeInterval / 2
)

// Edge is an edge of the wait-for graph: a process waits for an object that another holds.
type Edge struct {
	Waiter, Holder proctable.ID
	Object         uint64 // the object's number
}

// publishedEdges is whether, and when, this process has published edges. The parking lot's
// lock guards it.
type publishedEdges struct {
	any bool
	at  int64
}

// publishEdges writes the edges of this process into the objects that it owns. The caller
// holds the lock.
func (p *parkingLot) publishEdges() {
	now := shm.Now()
	if p.heldQueues == 0 || now-p.edges.at < int64(probeInterval) {
		return
	}
	var all []Edge
	for _, q := range p.queues {
		if q.holder != nil && len(all) < maxOwnEdges && now-q.oldestLocal() >= int64(publishAfter) {
			all = append(all, q.edges()...)
		}
	}
	if len(all) == 0 && !p.edges.any {
		return
	}
	p.edges = publishedEdges{any: len(all) > 0, at: now}
	me := proctable.Me()
	for _, o := range ownableObjects() {
		if o.ownerQueue.holder() == me {
			o.writeEdges(me, all[:min(len(all), maxEdges)])
		}
	}
}

// withdrawEdges removes published edges that no longer hold. The caller holds the lock.
func (p *parkingLot) withdrawEdges() {
	if p.edges.any {
		p.edges.at = 0
		p.publishEdges()
	}
	if p.heldQueues > 0 || !p.edges.any {
		return
	}
	p.edges = publishedEdges{}
	me := proctable.Me()
	for _, o := range ownableObjects() {
		if proctable.ID(o.Word(edgesAt).Load()>>32) == me {
			o.Word(edgesAt).Store(0)
		}
	}
}

// ownableObjects are the objects of this process that have one owner at a time.
func ownableObjects() (found []*Object) {
	objects.Lock()
	defer objects.Unlock()
	for _, known := range objects.known {
		if o := known.Value(); o != nil && o.ownerQueue != nil {
			found = append(found, o)
		}
	}
	return found
}

// writeEdges writes edges into an object.
func (o *Object) writeEdges(me proctable.ID, all []Edge) {
	head := o.Word(edgesAt)
	head.Store(0)
	for i, e := range all {
		o.Word(edgesAt + 8 + 16*i).Store(uint64(e.Waiter)<<32 | uint64(e.Holder))
		o.Word(edgesAt + 16 + 16*i).Store(e.Object)
	}
	head.Store(uint64(me)<<32 | uint64(len(all)))
}

// readEdges reads the edges that the owner has written into an object. There are none if the
// writer is another process, or writes at this moment.
func (o *Object) readEdges(owner proctable.ID) (all []Edge) {
	head := o.Word(edgesAt).Load()
	if proctable.ID(head>>32) != owner {
		return nil
	}
	for i := range min(uint32(head), maxEdges) {
		at := edgesAt + 8 + 16*int(i)
		ids := o.Word(at).Load()
		all = append(all, Edge{Waiter: proctable.ID(ids >> 32), Holder: proctable.ID(ids), Object: o.Word(at + 8).Load()})
	}
	if o.Word(edgesAt).Load() != head {
		return nil
	}
	return all
}

// edges are this process's edge to the holder of what the queue waits for, and the edges that
// the holder has published.
func (q *Queue) edges() []Edge {
	holder, me := q.holder(), proctable.Me()
	if holder == 0 || holder == me {
		return nil
	}
	all := []Edge{{Waiter: me, Holder: holder, Object: q.object.number}}
	if q.object.ownerQueue != nil {
		all = append(all, q.object.readEdges(holder)...)
	}
	return all
}

// Cycle returns a cycle of the wait-for graph that begins with this process, which waits for
// the object; nil if there is none. The cycle may no longer exist when Cycle returns.
func (o *Object) Cycle(holder proctable.ID) []Edge {
	me := proctable.Me()
	first := Edge{Waiter: me, Holder: holder, Object: o.number}
	if holder == me {
		return nil // another goroutine of this process may release it
	}
	ownable := ownableObjects()
	all := withoutStale(o.readEdges(holder), ownable)
	ids := []proctable.ID{holder}
	for _, e := range all {
		ids = append(ids, e.Holder)
	}
	for _, o := range ownable { // add the edges that lead to this process
		for _, id := range ids {
			if o.ownerQueue.holder() == me && id != me && o.ownerQueue.plausiblyWaiting(id) {
				all = append(all, Edge{Waiter: id, Holder: me, Object: o.number})
			}
		}
	}
	return findCycle([]Edge{first}, all, map[proctable.ID]bool{})
}

// withoutStale drops edges that this process knows to be outdated: a process that is stopped
// does not withdraw what it has published.
func withoutStale(all []Edge, ownable []*Object) (kept []Edge) {
	for _, e := range all {
		stale := false
		for _, o := range ownable {
			stale = stale || o.number == e.Object && o.ownerQueue.holder() != e.Holder
		}
		if !stale {
			kept = append(kept, e)
		}
	}
	return kept
}

// findCycle extends a path until it returns to where it began.
func findCycle(path, all []Edge, seen map[proctable.ID]bool) []Edge {
	end := path[len(path)-1].Holder
	if seen[end] || !proctable.Alive(end) {
		return nil
	}
	seen[end] = true
	for _, e := range all {
		if e.Waiter != end {
			continue
		}
		longer := append(path[:len(path):len(path)], e)
		if e.Holder == path[0].Waiter {
			return longer
		}
		if found := findCycle(longer, all, seen); found != nil {
			return found
		}
	}
	return nil
}
