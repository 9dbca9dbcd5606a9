package mp

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// Condition lets goroutines that hold a lock wait until others notify them, as Python's
// multiprocessing.Condition. Several Conditions may share one Lock.
//
// Notifications go to the waiters in the order in which they came, across all processes. A wake-up is
// not lost: when a notified waiter's ctx ends, or its process dies before Wait has returned, the next
// waiter gets it. After a death one waiter more may wake than was notified, so check again what you wait
// for: see WaitFor.
//
// A Condition is shareable as a Lock is, and brings its lock along. Its methods are safe for concurrent use.
type Condition struct {
	_       [0]sync.Mutex // a Condition must not be copied
	carrier carrier.Condition
	closed  atomic.Bool // this handle was closed
	lock    *Lock
}

// NewCondition makes a Condition on a lock, or on a new Lock if l is nil. A Lock does not nest: see
// NewRLockCondition. The condition reaches as far as its lock does: it is for processes, or for goroutines
// if package thread made the lock. It costs what NewLock costs and has its errors; a Lock that no
// constructor made is ErrClosed.
func NewCondition(l *Lock) (*Condition, error) {
	if l == nil {
		var err error
		if l, err = NewLock(); err != nil {
			return nil, err
		}
	}
	if !l.made() {
		if err := mayStart(); err != nil { // which is why there is no lock
			return nil, err
		}
		return nil, l.Err()
	}
	return conditionOf(l.carrier)
}

// conditionOf asks a lock for a condition.
func conditionOf(l carrier.Lock) (*Condition, error) {
	c, err := l.NewCondition()
	if err != nil {
		return nil, err
	}
	cond := &Condition{carrier: c, lock: &Lock{carrier: l}}
	if _, shares := c.(*shared.Condition); shares {
		cond.list()
	}
	return cond, nil
}

// NewRLockCondition is NewCondition of an RLock, as Python's Condition() makes one. Wait gives the
// RLock up however often it is held under the ctx, and the new Hold takes the place of the one that
// was given to Wait; the other Holds hold again as before. When Wait fails, none of them does: their
// Release is ErrNotOwner. Meanwhile acquiring under that ctx acquires anew.
//
// Acquire the RLock to nest; the Condition's own Acquire nests under the RLock's ctx, and returns
// none. An RLock that was not made by NewRLock is ErrClosed.
func NewRLockCondition(l *RLock) (*Condition, error) {
	if !l.made() {
		if err := mayStart(); err != nil { // which is why there is no lock
			return nil, err
		}
		return nil, l.Err()
	}
	return conditionOf(l.carrier)
}

func (c *Condition) made() bool { return c != nil && c.carrier != nil && !c.closed.Load() }

// Acquire takes the condition's lock, as Lock.Acquire.
func (c *Condition) Acquire(ctx context.Context) (Hold, error) {
	needCtx(ctx, "Condition.Acquire")
	if !c.made() {
		return Hold{}, c.Err()
	}
	if t, _ := ctx.Value(c.lock.carrier).(*tenure); t != nil && ctx.Err() == nil && t.again() {
		return (&tenureHold{of: t}).hold(), nil
	}
	return c.lock.Acquire(ctx)
}

// TryAcquire takes the condition's lock if that is possible at once, as Lock.TryAcquire.
func (c *Condition) TryAcquire() (Hold, bool) {
	if c == nil || c.carrier == nil {
		panic(notMade("Condition"))
	}
	if c.closed.Load() {
		return Hold{}, false
	}
	return c.lock.TryAcquire()
}

// Wait gives the lock up, waits until it is notified, and takes the lock again. Nobody can
// notify between the giving up and the waiting. A goroutine that waits costs no thread.
//
// When Wait returns an error, its ctx's for one, the lock is NOT held, unlike in Python, where
// wait(timeout) has it again: do not touch what it guards, and Acquire it anew to go on.
//
// h is spent, whatever happens. Without an error the new Hold owns the lock. With one
// the lock is not held: it is ctx's when it ended, also when it was done at entry, or
// ended while the lock was to be taken again (the wake-up goes to the next then);
// ErrNotOwner when h does not hold the condition's lock; or says that more than 16,384
// goroutines wait.
func (c *Condition) Wait(ctx context.Context, h Hold) (Hold, error) {
	needCtx(ctx, "Condition.Wait")
	if !c.made() {
		return Hold{}, c.Err()
	}
	var back Hold
	var err error
	switch of := c.holder(h).(type) {
	case *Lock:
		var g carrier.Grant
		g, err = c.carrier.Wait(ctx, h.token)
		back = Hold{of: c.lock, token: g.Token, abandoned: g.Abandoned}
	case *tenureHold:
		back, err = of.wait(func(token uint64) (carrier.Grant, error) { return c.carrier.Wait(ctx, token) })
	default:
		err = ErrNotOwner
	}
	switch {
	case err == nil:
		return back, nil
	case errors.Is(err, ErrNotOwner):
		return Hold{}, err
	}
	return Hold{}, errtext.Errorf("mp: Condition.Wait: %w", err)
}

// holder is what h is of, if that is the condition's lock.
func (c *Condition) holder(h Hold) holder {
	switch of := h.of.(type) {
	case *Lock:
		if of.carrier == c.lock.carrier {
			return of
		}
	case *tenureHold:
		if of.of.lock == c.lock.carrier {
			return of
		}
	}
	return nil
}

// token is that of the lock's acquisition that h stands for; false if it does not hold the
// condition's lock.
func (c *Condition) token(h Hold) (uint64, bool) {
	switch of := c.holder(h).(type) {
	case *Lock:
		return h.token, of.carrier.Holds(h.token)
	case *tenureHold:
		return of.token()
	}
	return 0, false
}

// WaitFor waits until pred, which it calls with the lock held, is true: at once if it is.
// It is Wait in a loop; the Hold and the errors are as there. If pred panics the
// lock stays held.
func (c *Condition) WaitFor(ctx context.Context, h Hold, pred func() bool) (Hold, error) {
	needCtx(ctx, "Condition.WaitFor")
	if !c.made() {
		return Hold{}, c.Err()
	}
	if _, owns := c.token(h); !owns {
		return Hold{}, ErrNotOwner
	}
	for !pred() {
		var err error
		if h, err = c.Wait(ctx, h); err != nil {
			return Hold{}, err
		}
	}
	return h, nil
}

// Notify wakes n waiters, or all if there are fewer; an n below 1 wakes none. They go on one after the
// other once the lock is released. Notify does not wait. It costs some nanoseconds for each waiter, and a
// system call for each process that it wakes.
//
// The error is ErrNotOwner when h does not hold the condition's lock.
func (c *Condition) Notify(h Hold, n int) error {
	if !c.made() {
		return c.Err()
	}
	token, owns := c.token(h)
	if !owns {
		return ErrNotOwner
	}
	return c.carrier.Notify(token, n)
}

// NotifyAll wakes all waiters, as Notify does.
func (c *Condition) NotifyAll(h Hold) error { return c.Notify(h, math.MaxInt) }

// Err is nil, or why the condition cannot be used through this handle: it is ErrClosed after Close, and ErrLost
// when what holds the condition is gone. It does not wait. A method without an error has answered zero then.
func (c *Condition) Err() error {
	if c == nil {
		return notMade("Condition")
	}
	return errOf("Condition", c.carrier, &c.closed)
}

// Close lets go of this handle at once, with its descriptor if it was the last one of this process; the
// garbage collector does the same later. Other handles, here and elsewhere, stay as they are. Methods answer
// ErrClosed from now on, or zero, while calls that wait go on, and a Hold can still be released.
// Closing again does nothing. It does not wait, and the error is nil for what NewCondition has made.
func (c *Condition) Close() error {
	if c == nil {
		return nil
	}
	return closeHandle(c.carrier, &c.closed)
}

func (c *Condition) share(b *codec.Buffer) error {
	return shareCarrier(b, "Condition", c.carrier, &c.closed)
}

func (c *Condition) adopt(k carrier.Kind, r *codec.Reader) error {
	if err := adoptCarrier(&c.carrier, k, r); err != nil {
		return err
	}
	c.lock = &Lock{carrier: c.carrier.Mutex()}
	return nil
}

func (c *Condition) list() { list(c) }
