package hosted

import (
	"context"
	"fmt"
	"sync"
)

// Session is what a client is in the server: it has handles of objects, and owns what was acquired through them.
// A client over a connection has one, and code inside the server's process makes one with NewSession. Its methods
// may be called by any number of goroutines.
type Session struct {
	Client string // its name
	PID    int
	server *Server
	ctx    context.Context // ends with the session
	cancel context.CancelFunc

	mu      sync.Mutex // of all that follows, of Handles, and of what is held through them
	ended   bool
	handles map[uint64]*Handle
	known   map[*object]*Handle
	last    uint64

	// Guarded by the server's mutex:
	gone   bool
	leases []uint64 // of references that it has sent, or was lent
	lent   map[*object][]uint64
}

// Handle is an object as a session has it.
type Handle struct {
	session *Session
	object  *object
	number  uint64
	typed   any // what is acquired through it is the session's; nil: it has nothing to acquire
	held    holdings
	opens   uint64 // that were not taken back
	busy    int    // calls that wait
	refers  bool   // it is counted in object.refs
	lock    *Handle
}

// NewSession makes the session of a client. The error is carrier.ErrLost when the server was closed.
func (s *Server) NewSession(client string, pid int) (*Session, error) {
	session := &Session{Client: client, PID: pid, server: s, handles: map[uint64]*Handle{}, known: map[*object]*Handle{}, lent: map[*object][]uint64{}}
	session.ctx, session.cancel = context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		session.cancel()
		return nil, errOver
	}
	s.sessions[session] = struct{}{}
	return session, nil
}

// Server is the server of the session.
func (s *Session) Server() *Server { return s.server }

// Context ends with the session.
func (s *Session) Context() context.Context { return s.ctx }

// Create makes an object. The handle is open once.
func (s *Session) Create(spec Spec) (*Handle, error) {
	hosted, number, err := s.server.build(spec)
	if err != nil {
		return nil, err
	}
	var lock *object
	if spec.Lock != nil {
		lock = spec.Lock.object
	}
	return s.adopt(s.server.add(spec.Kind, hosted, number, lock))
}

// Host makes an object with methods of its own. The handle is open once.
func (s *Session) Host(c Callable) (*Handle, error) {
	return s.adopt(s.server.add(KindCallable, c, 0, nil))
}

// Open opens the object with that ID, which came with that lease, or with 0. Each Open is to be followed by
// a Close.
func (s *Session) Open(id ID, lease uint64) (*Handle, error) {
	o := s.server.find(id)
	if o == nil {
		return nil, errNoObject
	}
	s.server.opened(s, o, lease)
	return s.adopt(o)
}

// Lookup opens the object with that name, or has Config.Lookup make it.
func (s *Session) Lookup(ctx context.Context, name string, args Message) (*Handle, error) {
	s.server.mu.Lock()
	o := s.server.names[name]
	if o != nil {
		o.refs++
	}
	s.server.mu.Unlock()
	switch {
	case o != nil:
		return s.adopt(o)
	case s.server.cfg.Lookup == nil:
		return nil, fmt.Errorf("%w: the name %q", errNoObject, name)
	}
	made, err := s.server.cfg.Lookup(ctx, s, name, args)
	if err != nil {
		return nil, err
	}
	switch made := made.(type) {
	case *Handle: // of any session of the server
		return s.Open(made.object.id, 0)
	case Spec:
		return s.Create(made)
	case Callable:
		return s.Host(made)
	}
	return nil, fmt.Errorf("mp: a server cannot host a %T", made)
}

// adopt makes a handle of a reference that was the caller's, or opens the handle that there is once more.
func (s *Session) adopt(o *object) (*Handle, error) {
	var lock *Handle
	if o.lock != nil {
		var err error
		if lock, err = s.Open(o.lock.id, 0); err != nil {
			s.server.unref(o)
			return nil, err
		}
	}
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		s.server.unref(o)
		return nil, errOver // and its handle of the lock is gone
	}
	h, spare := s.known[o], false
	if h == nil {
		s.last++
		h = &Handle{session: s, object: o, number: s.last, lock: lock}
		h.typed, h.held = s.bind(h)
		s.known[o], s.handles[h.number] = h, h
		lock = nil
	}
	h.opens++
	if spare = h.refers; !spare {
		h.refers = true
	}
	s.mu.Unlock()
	s.server.mu.Lock()
	o.handles[h] = struct{}{}
	s.server.mu.Unlock()
	if spare {
		s.server.unref(o)
	}
	if lock != nil {
		lock.Close(1)
	}
	return h, nil
}

// handle finds a handle by its number.
func (s *Session) handle(number uint64) *Handle {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handles[number]
}

// ID is the object's.
func (h *Handle) ID() ID { return h.object.id }

// Kind is the object's.
func (h *Handle) Kind() Kind { return h.object.kind }

// Carrier is the object's carrier: what is acquired through it belongs to the session. It is a *SessionQueue for a
// queue, a Callable's own value for one, and a carrier.Lock, carrier.Semaphore, and so on.
func (h *Handle) Carrier() any {
	if h.typed == nil {
		return h.object.hosted
	}
	return h.typed
}

// Close takes n opens back. What was acquired can still be released.
func (h *Handle) Close(n uint64) {
	s := h.session
	s.mu.Lock()
	h.opens -= min(n, h.opens)
	s.mu.Unlock()
	h.settle()
}

// enter keeps the handle while a call waits; leave ends that.
func (h *Handle) enter() {
	h.session.mu.Lock()
	h.busy++
	h.session.mu.Unlock()
}

func (h *Handle) leave() {
	h.session.mu.Lock()
	h.busy--
	h.session.mu.Unlock()
	h.settle()
}

// settle lets go of the object if the session needs it no more.
func (h *Handle) settle() {
	s := h.session
	s.mu.Lock()
	if s.ended || !h.refers || h.opens > 0 || h.busy > 0 || h.held != nil && h.held.any() {
		s.mu.Unlock()
		return
	}
	h.refers = false
	// What was got can still be said to be done, as long as others have the queue.
	done := h.held == nil || !h.held.undone()
	if done {
		s.remove(h)
	}
	s.mu.Unlock()
	if done {
		s.server.mu.Lock()
		delete(h.object.handles, h)
		s.server.mu.Unlock()
	}
	s.server.unref(h.object)
	if h.lock != nil {
		h.lock.Close(1)
	}
}

func (s *Session) remove(h *Handle) {
	delete(s.handles, h.number)
	if s.known[h.object] == h {
		delete(s.known, h.object)
	}
}

// forget removes a handle whose object is gone.
func (s *Session) forget(h *Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(h)
}

// Share makes a lease for a reference to the object that the session is about to send.
func (h *Handle) Share() (lease uint64, err error) {
	if h.session.server.find(h.object.id) == nil {
		return 0, errNoObject
	}
	return h.session.server.newLease(h.session, h.object, false), nil
}

// Unshare says that a reference was not sent after all.
func (s *Session) Unshare(lease uint64) { s.server.giveUp(s, lease) }

// End lets go of all that the session holds and refers to: its client is gone. Its calls end.
func (s *Session) End() {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	handles := s.handles
	s.handles, s.known = map[uint64]*Handle{}, map[*object]*Handle{}
	s.mu.Unlock()
	s.cancel()
	s.server.leaveLeases(s)
	var refs []*object
	for _, h := range handles {
		if h.held != nil {
			h.held.abandon()
		}
		s.server.mu.Lock()
		delete(h.object.handles, h)
		s.server.mu.Unlock()
		if h.refers {
			refs = append(refs, h.object)
		}
	}
	s.server.unref(refs...)
	s.server.mu.Lock()
	delete(s.server.sessions, s)
	s.server.mu.Unlock()
}
