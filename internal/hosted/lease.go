package hosted

import "time"

// lease keeps an object alive while a reference to it is under way.
type lease struct {
	number uint64
	object *object
	sender *Session  // or the one that it was lent; nil: it is gone
	until  time.Time // zero: not limited yet
}

// maxLeases is how many of one session are not limited. With more of them, the oldest are.
const maxLeases = 1 << 16

// newLease makes a lease with a reference that was the caller's. lent: the session is the one that receives it.
func (s *Server) newLease(sender *Session, o *object, lent bool) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastLease++
	number := s.lastLease
	l := &lease{number: number, object: o, sender: sender}
	s.leases[number] = l
	if sender.gone {
		l.limit(s)
	} else {
		sender.leases = append(sender.leases, number)
		if lent {
			sender.lent[o] = append(sender.lent[o], number)
		}
		for excess := len(sender.leases) - maxLeases; excess > 0; excess-- {
			if old := s.leases[sender.leases[0]]; old != nil {
				old.limit(s)
			}
			sender.leases = sender.leases[1:]
		}
	}
	return number
}

// opened limits the leases that a session needs no more when it has opened an object: the one that its message
// named, and one that it was lent.
func (s *Server) opened(session *Session, o *object, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.leases[number]; l != nil && l.object == o {
		l.limit(s)
	}
	lent := session.lent[o]
	if len(lent) == 0 {
		return
	}
	if l := s.leases[lent[0]]; l != nil {
		l.limit(s)
	}
	if session.lent[o] = lent[1:]; len(lent) == 1 {
		delete(session.lent, o)
	}
}

// limit has the lease end soon. The server's mutex is held.
func (l *lease) limit(s *Server) {
	if l.until.IsZero() {
		l.until = time.Now().Add(s.cfg.Lease)
	}
}

// giveUp limits a lease of a sender whose message was not sent.
func (s *Server) giveUp(sender *Session, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.leases[number]; l != nil && l.sender == sender {
		l.limit(s)
	}
}

// endLease ends a lease at once.
func (s *Server) endLease(number uint64, o *object) {
	s.mu.Lock()
	l := s.leases[number]
	if l == nil || l.object != o {
		s.mu.Unlock()
		return
	}
	delete(s.leases, number)
	s.mu.Unlock()
	s.unref(o)
}

// expireLeases ends the leases whose time is over.
func (s *Server) expireLeases(now time.Time) {
	var over []*object
	s.mu.Lock()
	for number, l := range s.leases {
		if !l.until.IsZero() && now.After(l.until) {
			delete(s.leases, number)
			over = append(over, l.object)
		}
	}
	s.mu.Unlock()
	s.unref(over...)
}

// leaveLeases limits all leases of a sender that is gone.
func (s *Server) leaveLeases(sender *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sender.gone = true
	for _, number := range sender.leases {
		if l := s.leases[number]; l != nil {
			l.sender = nil
			l.limit(s)
		}
	}
	sender.leases, sender.lent = nil, nil
}
