package hosted

import (
	"context"
	"fmt"
	"io/fs"
	"math"

	"github.com/gomultiprocessing/mp/internal/carrier"
)

// typedAs is the result of a constructor.
func typedAs[C carrier.Object](o carrier.Object, err error) (c C, _ error) {
	if err != nil {
		return c, err
	}
	c, ok := o.(C)
	if !ok {
		o.Close()
		return c, fmt.Errorf("mp: the server made a %T in the place of a %T", o, c)
	}
	return c, nil
}

// Lock is a hosted lock. It implements carrier.Lock.
type Lock struct{ *remote }

// NewLock makes a lock in the server.
func (c *Client) NewLock(ctx context.Context) (*Lock, error) {
	return typedAs[*Lock](c.create(ctx, Spec{Kind: KindLock}, 0))
}

// RLock is a hosted lock that package mp lets nest. It implements carrier.RLock.
type RLock struct{ Lock }

// NewRLock makes an RLock in the server.
func (c *Client) NewRLock(ctx context.Context) (*RLock, error) {
	return typedAs[*RLock](c.create(ctx, Spec{Kind: KindRLock}, 0))
}

// lockOf returns the lock in an opened object, or nil.
func lockOf(o carrier.Object) *Lock {
	switch l := o.(type) {
	case *Lock:
		return l
	case *RLock:
		return &l.Lock
	}
	o.Close()
	return nil
}

func grantOf(r frame) carrier.Grant { return carrier.Grant{Token: r.n, Abandoned: r.flags&flagOK != 0} }

// Acquire implements carrier.Lock.
func (l *Lock) Acquire(ctx context.Context) (carrier.Grant, error) {
	r, err := l.wait(ctx, frame{op: opAcquire})
	if err != nil {
		return carrier.Grant{}, err
	}
	return grantOf(r), nil
}

// TryAcquire implements carrier.Lock.
func (l *Lock) TryAcquire() (carrier.Grant, bool) {
	r, err := l.ask(frame{op: opTryAcquire})
	l.note(err)
	if err != nil || r.n == 0 {
		return carrier.Grant{}, false
	}
	return grantOf(r), true
}

// Release implements carrier.Lock.
func (l *Lock) Release(token uint64) error { return l.tell(frame{op: opRelease, n: token}) }

// Holds implements carrier.Lock.
func (l *Lock) Holds(token uint64) bool { return l.is(frame{op: opHolds, n: token}) }

// Held implements carrier.Lock.
func (l *Lock) Held() (pid int, held bool) {
	r, err := l.ask(frame{op: opOwner})
	l.note(err)
	if err != nil {
		return 0, false
	}
	return int(min(r.n, math.MaxInt)), r.flags&flagOK != 0
}

// NewCondition implements carrier.Lock.
func (l *Lock) NewCondition() (carrier.Condition, error) {
	ctx, cancel := context.WithTimeout(context.Background(), l.client.cfg.Limit)
	defer cancel()
	return typedAs[*Condition](l.client.create(ctx, Spec{Kind: KindCondition}, l.handle))
}

// Condition is a hosted condition. It implements carrier.Condition, and has a handle of its lock.
type Condition struct {
	*remote
	lock *Lock
}

// Wait implements carrier.Condition.
func (c *Condition) Wait(ctx context.Context, token uint64) (carrier.Grant, error) {
	r, err := c.wait(ctx, frame{op: opWait, n: token})
	if err != nil {
		return carrier.Grant{}, err
	}
	return grantOf(r), nil
}

// Mutex implements carrier.Condition.
func (c *Condition) Mutex() carrier.Lock {
	if r, ok := c.lock.typed.(*RLock); ok {
		return r
	}
	return c.lock
}

// Notify implements carrier.Condition.
func (c *Condition) Notify(token uint64, n int) error {
	return c.tell(frame{op: opSignal, n: token, m: uint64(max(n, 0))})
}

// Close implements carrier.Object.
func (c *Condition) Close() error {
	c.remote.Close()
	return c.lock.Close()
}

// Semaphore is a hosted semaphore. It implements carrier.Semaphore.
type Semaphore struct{ *remote }

// NewSemaphore makes a semaphore in the server. The error is fs.ErrInvalid when there cannot be as many permits.
func (c *Client) NewSemaphore(ctx context.Context, permits int, bounded bool) (*Semaphore, error) {
	if permits < 0 || permits > carrier.MaxPermits {
		return nil, fmt.Errorf("mp: a semaphore of %d permits: %w", permits, fs.ErrInvalid)
	}
	return typedAs[*Semaphore](c.create(ctx, Spec{Kind: KindSemaphore, Size: permits, Bound: bounded}, 0))
}

// Acquire implements carrier.Semaphore.
func (s *Semaphore) Acquire(ctx context.Context) (carrier.Grant, error) {
	r, err := s.wait(ctx, frame{op: opAcquire})
	if err != nil {
		return carrier.Grant{}, err
	}
	return grantOf(r), nil
}

// TryAcquire implements carrier.Semaphore.
func (s *Semaphore) TryAcquire() (carrier.Grant, bool) {
	r, err := s.ask(frame{op: opTryAcquire})
	s.note(err)
	if err != nil || r.n == 0 {
		return carrier.Grant{}, false
	}
	return grantOf(r), true
}

// Return implements carrier.Semaphore.
func (s *Semaphore) Return(token uint64) error { return s.tell(frame{op: opReturn, n: token}) }

// Release implements carrier.Semaphore.
func (s *Semaphore) Release(n int) error { return s.tell(frame{op: opRelease, n: uint64(n)}) }

// Available implements carrier.Semaphore.
func (s *Semaphore) Available() int { return s.askNumber(opAvailable) }
