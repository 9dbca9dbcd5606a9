package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/thread"
)

// How long the server waits after a failure to accept: twice as long each time.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// accept starts a goroutine for each connection. A failure that may pass, such as no free
// descriptor, is waited out: the connections that are there go on, and who waits to be
// accepted is so within a second after one of them has ended.
func (s *Server) accept(l net.Listener) error {
	pause := firstPause
	for {
		conn, err := l.Accept()
		if err == nil {
			pause = firstPause
			s.admit(conn)
			continue
		}
		if s.stopping() {
			return nil
		}
		s.cfg.Numbers.AcceptErrors.Add(1)
		if !passes(err) {
			return fmt.Errorf("nothing more can be accepted: %w", err)
		}
		if n, ok := s.failures.tell(); ok {
			s.cfg.Log.Error("cannot accept, trying again", "error", err, "failures", n, "pause", pause)
		}
		if !s.sleep(pause) {
			return nil
		}
		pause = min(2*pause, lastPause)
	}
}

// passes says whether a failure to accept may be over soon. Linux also reports what has
// happened to the connection that would have been accepted.
func passes(err error) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	switch no {
	case syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK, syscall.EOPNOTSUPP, syscall.EFAULT:
		return false
	}
	return true
}

func (s *Server) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// sleep waits; false says that the server stops.
func (s *Server) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.stop:
		return false
	}
}

// admit serves a connection, or refuses it when there is no room: it is closed at once, for a
// client that is left waiting cannot know why.
func (s *Server) admit(conn net.Conn) {
	client := conn.RemoteAddr().String()
	var hold mp.Hold
	if s.cfg.Room != nil {
		var ok bool
		if hold, ok = s.cfg.Room.TryAcquire(); !ok {
			conn.Close()
			s.cfg.Numbers.Refused.Add(1)
			if n, ok := s.refused.tell(); ok {
				s.cfg.Log.Warn("refused, as there are as many connections as may be", "client", client, "refused", n)
			}
			return
		}
	}
	c := &connection{s: s, conn: conn, client: client, hold: hold, since: time.Now()}
	s.cfg.Numbers.Accepted.Add(1)
	s.cfg.Numbers.Open.Add(1)
	s.remember(conn)
	s.active.Add(1)
	if _, err := thread.Start(context.Background(), "echo "+client, c.serve); err != nil {
		c.leave(Failed, err)
	}
}

// seldom has at most one line a second written of what may happen thousands of times.
type seldom struct {
	mu   sync.Mutex
	last time.Time
	n    int
}

// tell counts, and says whether to write a line and how often it has happened since the last.
func (s *seldom) tell() (n int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	now := time.Now()
	if !s.last.IsZero() && now.Sub(s.last) < time.Second {
		return 0, false
	}
	n, s.n, s.last = s.n, 0, now
	return n, true
}
