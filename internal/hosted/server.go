package hosted

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// maxFrame is what the length of a frame can say.
const maxFrame = 1<<31 - 1

// frameSlack is by how much a frame may be larger than the message in it.
const frameSlack = 4096

// Config says how a Server serves. The zero Config is ready to use.
type Config struct {
	// Less is the order of queues that give the smallest item first. It knows how items are encoded, and must
	// not keep their bytes. If it panics, the Put that it was for fails. nil: there are no such queues.
	Less func(a, b []byte) bool
	// Lookup makes the object of a name that Server.Name does not know, with the client's arguments: what
	// Server.Host takes. nil: there are no other names.
	Lookup func(ctx context.Context, s *Session, name string, args Message) (any, error)
	// Heartbeat is how long a client may be silent, or take nothing, before it is gone; 0: 10 s.
	Heartbeat time.Duration
	// Lease is how long an object outlives a reference in a message that was opened, was given up, or whose
	// sender is gone; 0: 1 min.
	Lease time.Duration
	// MaxMessage is the largest message in bytes; 0: 1 GiB.
	MaxMessage int
	// MaxCalls is how many calls and watches of one client may wait at once; 0: 65,536.
	MaxCalls int
}

func (c Config) withDefaults() Config {
	if c.Heartbeat <= 0 {
		c.Heartbeat = 10 * time.Second
	}
	if c.Lease <= 0 {
		c.Lease = time.Minute
	}
	if c.MaxMessage <= 0 {
		c.MaxMessage = 1 << 30
	}
	c.MaxMessage = min(c.MaxMessage, maxFrame-frameSlack)
	if c.MaxCalls <= 0 {
		c.MaxCalls = 1 << 16
	}
	return c
}

// Server hosts objects for clients. Its methods may be called by any number of goroutines.
type Server struct {
	cfg Config
	id  ID

	mu        sync.Mutex
	objects   map[ID]*object
	names     map[string]*object
	leases    map[uint64]*lease
	lastLease uint64
	sessions  map[*Session]struct{}
	conns     map[*serverConn]struct{}
	closed    bool
	serving   sync.WaitGroup // of Serve, and of the goroutine that keeps time
	stop      chan struct{}  // closed by Close
}

// NewServer makes a server that has no clients yet. Close ends it.
func NewServer(cfg Config) *Server {
	s := &Server{
		cfg: cfg.withDefaults(), id: newID(), objects: map[ID]*object{}, names: map[string]*object{},
		leases: map[uint64]*lease{}, sessions: map[*Session]struct{}{}, conns: map[*serverConn]struct{}{}, stop: make(chan struct{}),
	}
	s.serving.Go(s.keepTime)
	return s
}

// ID names the server in references to its objects.
func (s *Server) ID() ID { return s.id }

// Objects is how many objects there are.
func (s *Server) Objects() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.objects)
}

// Sessions is how many clients there are.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Name gives an object of a session a name, under which clients find it, until Unname. The error is
// fs.ErrExist for a name that is taken.
func (s *Server) Name(name string, h *Handle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[name] != nil {
		return fmt.Errorf("mp: the server has an object of the name %q: %w", name, fs.ErrExist)
	}
	if s.objects[h.object.id] != h.object {
		return errNoObject
	}
	h.object.refs++
	s.names[name] = h.object
	return nil
}

// Unname takes a name away.
func (s *Server) Unname(name string) {
	s.mu.Lock()
	o := s.names[name]
	delete(s.names, name)
	s.mu.Unlock()
	if o != nil {
		s.unref(o)
	}
}

// Serve serves an authenticated connection until it ends, and closes it. The error is nil when the client closed
// the connection, or the server was closed.
func (s *Server) Serve(conn Conn) error { return s.ServeHello(conn, nil) }

// ServeHello is Serve after the client's first message was read, as one that IsHello; nil: it was not.
func (s *Server) ServeHello(conn Conn, message []byte) error {
	late := time.AfterFunc(s.cfg.Heartbeat, func() { conn.Close() })
	hello, err := s.greet(conn, message)
	if !late.Stop() && err == nil {
		err = errSilent
	}
	if err != nil {
		conn.Close()
		return fmt.Errorf("mp: a client of the server: %w", err)
	}
	c := newServerConn(s, conn, hello)
	if c == nil {
		conn.Close()
		return nil
	}
	err = c.serve()
	s.mu.Lock()
	delete(s.conns, c)
	closed := s.closed
	s.mu.Unlock()
	s.serving.Done()
	if closed || errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("mp: client %q of the server (pid %d) is given up: %w", hello.name, hello.pid, err)
}

// greet exchanges the first messages.
func (s *Server) greet(conn Conn, message []byte) (hello clientHello, err error) {
	if message == nil {
		if message, err = readHello(conn); err != nil {
			return hello, err
		}
	}
	if err := hello.decode(message); err != nil {
		writeHello(conn, refusal(err))
		return hello, err
	}
	return hello, writeHello(conn, serverHello{s.id, s.cfg.Heartbeat, s.cfg.MaxMessage}.append(nil))
}

// Close ends all connections and sessions, and returns when they have ended. What waits is carrier.ErrLost.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.stop)
	}
	for c := range s.conns {
		go c.link.fail(carrier.ErrLost)
	}
	var sessions []*Session
	for session := range s.sessions {
		sessions = append(sessions, session)
	}
	s.mu.Unlock()
	for _, session := range sessions {
		session.End()
	}
	s.serving.Wait()
	return nil
}

// keepTime finds clients that are silent or stuck, and ends leases.
func (s *Server) keepTime() {
	beat := time.NewTicker(max(s.cfg.Heartbeat/beats, time.Millisecond))
	defer beat.Stop()
	expiry := time.NewTicker(max(s.cfg.Lease/4, time.Millisecond))
	defer expiry.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-beat.C:
			s.mu.Lock()
			for c := range s.conns {
				if err := c.link.beat(); err != nil {
					go c.link.fail(err) // closing may wait
				}
			}
			s.mu.Unlock()
		case now := <-expiry.C:
			s.expireLeases(now)
		}
	}
}
