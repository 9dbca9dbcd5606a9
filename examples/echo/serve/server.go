// Package serve is a TCP server that sends back what comes.
//
// Each connection has a goroutine, and one that is idle has nothing else: no buffer, and no
// thread. A connection whose client does not read costs one buffer of 64 KiB.
package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gomultiprocessing/mp"
)

// Config says how a Server works. The zero Config is one without limits that is silent.
type Config struct {
	Idle         time.Duration // a connection from which nothing comes for so long is closed; 0: never
	WriteTimeout time.Duration // and one that does not take a piece, of 64 KiB at most, in this time; 0: never
	Room         *mp.Semaphore // a permit for each connection; who finds none is refused; nil: no limit
	Numbers      *Numbers      // what is counted; nil: they are the server's own
	Log          *slog.Logger  // nil: none
}

// Server serves the connections of one listener.
type Server struct {
	cfg    Config
	pieces bool          // each piece is logged
	stop   chan struct{} // closed by Drain
	active sync.WaitGroup

	refused, failures seldom

	mu       sync.Mutex
	stopped  bool
	closing  bool // what is still open is closed
	listener net.Listener
	open     map[net.Conn]struct{}
}

// New makes a Server. It does nothing before Serve.
func New(cfg Config) *Server {
	if cfg.Numbers == nil {
		cfg.Numbers = new(Numbers)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		cfg: cfg, pieces: cfg.Log.Enabled(context.Background(), slog.LevelDebug),
		stop: make(chan struct{}), open: make(map[net.Conn]struct{}),
	}
}

// Serve accepts the connections of l until Drain, which makes it return nil; any other error is
// of a listener that will accept no more. It closes l. It is called once.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return nil
	}
	s.listener = l
	s.active.Add(1)
	s.mu.Unlock()
	defer s.active.Done()
	return s.accept(l)
}

// Drain accepts no more connections and waits until those that are open have ended. When ctx
// ends it closes the rest: the error says how many they were, and is ctx's. After it no
// goroutine of the server is left.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stop)
		if s.listener != nil {
			s.listener.Close()
		}
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.active.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	n := s.closeAll()
	<-ended
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d connections were closed: %w", n, context.Cause(ctx))
}

// closeAll ends all connections, and says how many there were.
func (s *Server) closeAll() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for conn := range s.open {
		conn.Close()
	}
	return len(s.open)
}

func (s *Server) remember(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[conn] = struct{}{}
	if s.closing { // it was accepted just before
		conn.Close()
	}
}

func (s *Server) forget(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}
