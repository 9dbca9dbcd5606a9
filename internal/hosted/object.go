package hosted

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// object is what the server hosts.
type object struct {
	id     ID
	kind   Kind
	number uint64  // what clients know without asking: see Spec
	hosted any     // of package inproc, *hostedLock, *hostedQueue, or a Callable
	lock   *object // of a condition

	// Guarded by the server's mutex:
	refs    int // of sessions, names, items, leases, conditions; at 0 the object is gone
	handles map[*Handle]struct{}
}

// Spec says what object is to be made.
type Spec struct {
	Kind   Kind
	Number uint64 // of a queue: the type of its items; of a condition: nothing; see Size for the others
	Size   int    // of a queue: its capacity; of a semaphore: its permits; of a barrier: its parties
	Bound  bool   // of a semaphore
	Order  Order  // of a queue
	Words  []uint64
	Lock   *Handle // of a condition
}

// build makes what an object is made of. Number is what clients know of it from then on: a queue's type, a
// barrier's parties, a value's words.
func (s *Server) build(spec Spec) (hosted any, number uint64, err error) {
	invalid := func(what string) (any, uint64, error) {
		return nil, 0, fmt.Errorf("mp: a server's %s of size %d: %w", what, spec.Size, fs.ErrInvalid)
	}
	switch spec.Kind {
	case KindLock, KindRLock:
		return &hostedLock{Lock: inproc.NewLock()}, 0, nil
	case KindSemaphore:
		if spec.Size < 0 || spec.Size > carrier.MaxPermits {
			return invalid("semaphore")
		}
		return inproc.NewSemaphore(spec.Size, spec.Bound), 0, nil
	case KindEvent:
		return inproc.NewEvent(), 0, nil
	case KindBarrier:
		if spec.Size < 1 || spec.Size > carrier.MaxParties {
			return invalid("barrier")
		}
		return inproc.NewBarrier(spec.Size), uint64(spec.Size), nil
	case KindValue:
		return inproc.NewValue(spec.Words), uint64(len(spec.Words)), nil
	case KindQueue:
		q, err := s.newQueue(spec)
		return q, spec.Number, err
	case KindCondition:
		return s.newCondition(spec)
	}
	return nil, 0, fmt.Errorf("mp: a server cannot make %v: %w", spec.Kind, errors.ErrUnsupported)
}

func (s *Server) newCondition(spec Spec) (any, uint64, error) {
	if spec.Lock == nil {
		return nil, 0, errNoHandle
	}
	l, ok := spec.Lock.object.hosted.(*hostedLock)
	if !ok {
		return nil, 0, fmt.Errorf("mp: a condition of %v: %w", spec.Lock.object.kind, fs.ErrInvalid)
	}
	c, err := l.NewCondition()
	return c, 0, err
}

func (s *Server) newQueue(spec Spec) (*hostedQueue, error) {
	q := &hostedQueue{server: s, capacity: max(spec.Size, 0)}
	switch {
	case spec.Order == FirstInFirstOut:
		q.items = inproc.NewQueue[*item](spec.Size)
	case spec.Order == LastInFirstOut:
		q.items = inproc.NewLIFOQueue[*item](spec.Size)
	case spec.Order == SmallestFirst && s.cfg.Less != nil:
		q.items = inproc.NewPriorityQueue(spec.Size, func(a, b *item) bool { return s.cfg.Less(a.data, b.data) })
	default:
		return nil, fmt.Errorf("mp: a queue in that order: the server does not know how items are encoded: %w", errors.ErrUnsupported)
	}
	return q, nil
}

// add hosts an object that nothing refers to yet but the caller.
func (s *Server) add(kind Kind, hosted any, number uint64, lock *object) *object {
	o := &object{id: newID(), kind: kind, hosted: hosted, number: number, lock: lock, refs: 1, handles: map[*Handle]struct{}{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	if lock != nil {
		lock.refs++
	}
	s.objects[o.id] = o
	return o
}

// find returns the object with an ID, with a reference to it that is the caller's.
func (s *Server) find(id ID) *object {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects[id]
	if o != nil {
		o.refs++
	}
	return o
}

// unref ends references. What nothing refers to any more is gone, and so is what only it referred to.
func (s *Server) unref(objects ...*object) {
	for len(objects) > 0 {
		o := objects[len(objects)-1]
		objects = objects[:len(objects)-1]
		s.mu.Lock()
		if o.refs--; o.refs > 0 {
			s.mu.Unlock()
			continue
		}
		delete(s.objects, o.id)
		var handles []*Handle
		for h := range o.handles {
			handles = append(handles, h)
		}
		s.mu.Unlock()
		for _, h := range handles {
			h.session.forget(h)
		}
		if o.lock != nil {
			objects = append(objects, o.lock)
		}
		switch hosted := o.hosted.(type) {
		case *hostedQueue:
			for _, i := range hosted.items.CloseTaking() {
				objects = append(objects, i.refs...)
			}
		case interface{ Drop() }:
			hosted.Drop()
		}
	}
}
