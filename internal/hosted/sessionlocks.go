package hosted

import (
	"context"
	"sync"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/inproc"
)

// hostedLock knows which client has it.
type hostedLock struct {
	*inproc.Lock
	mu    sync.Mutex
	token uint64 // of the last acquisition that was noted
	pid   int
	owner string
}

// holder is the client that has the lock.
func (l *hostedLock) holder() (pid int, name string, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Holds(l.token) {
		return l.pid, l.owner, true
	}
	_, held = l.Lock.Held()
	return 0, "", held // it was just acquired
}

// sessionLock is a lock as a session has it.
type sessionLock struct {
	*hostedLock
	tokens
}

// keep makes an acquisition the session's. If the session has ended, the lock is as it was.
func (l *sessionLock) keep(g carrier.Grant) (carrier.Grant, error) {
	if !l.tokens.keep(g.Token) {
		if g.Abandoned {
			l.Lock.Abandon(g.Token)
		} else {
			l.Lock.Release(g.Token)
		}
		return carrier.Grant{}, errOver
	}
	l.mu.Lock()
	if g.Token > l.token {
		l.token, l.pid, l.owner = g.Token, l.handle.session.PID, l.handle.session.Client
	}
	l.mu.Unlock()
	return g, nil
}

func (l *sessionLock) Acquire(ctx context.Context) (carrier.Grant, error) {
	g, err := l.Lock.Acquire(ctx)
	if err != nil {
		if pid, name, held := l.holder(); held {
			return g, heldError(pid, name, ctx.Err())
		}
		return g, ctx.Err()
	}
	return l.keep(g)
}

func (l *sessionLock) TryAcquire() (carrier.Grant, bool) {
	g, ok := l.Lock.TryAcquire()
	if !ok {
		return g, false
	}
	g, err := l.keep(g)
	return g, err == nil
}

func (l *sessionLock) Release(token uint64) error {
	if !l.take(token) {
		return carrier.ErrNotOwner
	}
	defer l.handle.settle()
	return l.Lock.Release(token)
}

func (l *sessionLock) Holds(token uint64) bool { return l.has(token) && l.Lock.Holds(token) }

func (l *sessionLock) Held() (pid int, held bool) {
	pid, _, held = l.holder()
	return pid, held
}

func (l *sessionLock) abandon() { l.takeAll(func(token uint64) { l.Lock.Abandon(token) }) }

// sessionSemaphore is a semaphore as a session has it.
type sessionSemaphore struct {
	*inproc.Semaphore
	tokens
}

func (s *sessionSemaphore) keep(g carrier.Grant) (carrier.Grant, error) {
	if !s.tokens.keep(g.Token) {
		s.Semaphore.Return(g.Token)
		return carrier.Grant{}, errOver
	}
	return g, nil
}

func (s *sessionSemaphore) Acquire(ctx context.Context) (carrier.Grant, error) {
	g, err := s.Semaphore.Acquire(ctx)
	if err != nil {
		return g, err
	}
	return s.keep(g)
}

func (s *sessionSemaphore) TryAcquire() (carrier.Grant, bool) {
	g, ok := s.Semaphore.TryAcquire()
	if !ok {
		return g, false
	}
	g, err := s.keep(g)
	return g, err == nil
}

func (s *sessionSemaphore) Return(token uint64) error {
	if !s.take(token) {
		return carrier.ErrNotOwner
	}
	if err := s.Semaphore.Return(token); err != nil {
		s.tokens.keep(token) // it stays held
		return err
	}
	s.handle.settle()
	return nil
}

// abandon returns the permits. A bounded semaphore may have got others in their place.
func (s *sessionSemaphore) abandon() { s.takeAll(func(token uint64) { s.Semaphore.Return(token) }) }
