package hosted

import "context"

// Callable is an object with methods of its own, such as a container, or a value of the program. It may have a
// method Drop(), which is called when nothing refers to it any more.
//
// Invoke calls a method for a session. ctx ends when the client cancels the call or is gone. The message of the
// arguments is the Callable's, and that of the reply is the server's. Objects that a Callable keeps by a
// reference are kept alive by Server.Retain and let go of by Server.Free.
//
// An error reaches the client with its text, and as the sentinel of package carrier or io/fs that it is. A panic
// is an error of that call.
type Callable interface {
	Invoke(ctx context.Context, s *Session, method string, args Message) (Message, error)
}

// Retain keeps the objects of references alive until as many calls of Free.
func (s *Server) Retain(refs ...Ref) error {
	var kept []*object
	for _, r := range refs {
		o := s.find(r.ID)
		if o == nil {
			s.unref(kept...)
			return errNoObject
		}
		kept = append(kept, o)
	}
	return nil
}

// Free ends what Retain began.
func (s *Server) Free(refs ...Ref) {
	for _, r := range refs {
		s.mu.Lock()
		o := s.objects[r.ID]
		s.mu.Unlock()
		if o != nil {
			s.unref(o)
		}
	}
}

// lend makes leases of what a reply refers to: its receiver has to open it.
func (s *Session) lend(refs []Ref) error {
	for _, r := range refs {
		o := s.server.find(r.ID)
		if o == nil {
			return errNoObject
		}
		s.server.newLease(s, o, true)
	}
	return nil
}
