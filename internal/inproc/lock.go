package inproc

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/errtext"
)

// Lock is a lock that one goroutine at a time holds.
//
// Its state is one word: whether it is held, whether goroutines wait, whether the last owner died,
// and above these the token of the last acquisition. So acquiring is one compare-and-swap, and so is releasing while nobody
// waits. While goroutines wait, releasing takes the mutex.
//
// A goroutine that comes just as the lock is free may take it, which is fast: a woken one needs a
// while to run. But a goroutine that has waited for a millisecond is handed the lock, which is not
// free in between.
type Lock struct {
	processLocal
	state   atomic.Uint64
	mu      sync.Mutex // of the waiters, and of setting and clearing contended
	waiters waitQueue[carrier.Grant]
}

const (
	held      = 1
	contended = 2
	abandoned = 4 // the last owner died; never set while the lock is held
	tokenUnit = 8
)

var pid = os.Getpid()

// NewLock makes a lock.
func NewLock() *Lock { return new(Lock) }

// TryAcquire acquires the lock if it is free.
func (l *Lock) TryAcquire() (carrier.Grant, bool) {
	for {
		v := l.state.Load()
		if v&held != 0 {
			return carrier.Grant{}, false
		}
		if l.state.CompareAndSwap(v, v&^abandoned+tokenUnit|held) {
			return carrier.Grant{Token: v/tokenUnit + 1, Abandoned: v&abandoned != 0}, true
		}
	}
}

// Acquire acquires the lock. It waits until ctx ends.
func (l *Lock) Acquire(ctx context.Context) (carrier.Grant, error) {
	if err := ctx.Err(); err != nil {
		if _, held := l.Held(); held { // as if ctx had ended a moment later
			err = fmt.Errorf("mp: %w", heldError(err))
		}
		return carrier.Grant{}, err
	}
	if g, ok := l.TryAcquire(); ok {
		return g, nil
	}
	g, err := l.wait(ctx)
	if err != nil {
		return carrier.Grant{}, errtext.Errorf("mp: %w", err)
	}
	return g, nil
}

// heldError says why a wait ended with its ctx.
func heldError(err error) error {
	return fmt.Errorf("another goroutine of this process has the lock: %w", err)
}

// acquireAgain is Acquire with an error to which the caller adds what the lock was for.
func (l *Lock) acquireAgain(ctx context.Context) (carrier.Grant, error) {
	if err := ctx.Err(); err != nil {
		return carrier.Grant{}, err
	}
	if g, ok := l.TryAcquire(); ok {
		return g, nil
	}
	return l.wait(ctx)
}

// wait is Acquire for a goroutine that did not get the lock at once.
func (l *Lock) wait(ctx context.Context) (carrier.Grant, error) {
	w := l.waiters.newWaiter(carrier.Grant{})
	defer l.waiters.recycle(w)
	l.mu.Lock()
	l.waiters.push(w)
	l.state.Or(contended)
	for {
		if w.value.Token != 0 {
			l.mu.Unlock()
			return w.value, nil
		}
		if g, ok := l.TryAcquire(); ok {
			l.dequeue(w)
			l.mu.Unlock()
			return g, nil
		}
		if err := ctx.Err(); err != nil {
			l.dequeue(w) // the owner of the lock wakes the next
			l.mu.Unlock()
			return carrier.Grant{}, heldError(err)
		}
		l.mu.Unlock()
		w.wait(ctx)
		l.mu.Lock()
	}
}

// dequeue removes a waiter. The mutex is held.
func (l *Lock) dequeue(w *waiter[carrier.Grant]) {
	if l.waiters.remove(w); l.waiters.first() == nil {
		l.state.And(^uint64(contended))
	}
}

// Release ends the acquisition with that token. It is carrier.ErrNotOwner if that has ended
// before.
func (l *Lock) Release(token uint64) error {
	v := token*tokenUnit | held
	if token != 0 && (l.state.CompareAndSwap(v, v&^held) || l.releaseContended(token, 0)) {
		return nil
	}
	return carrier.ErrNotOwner
}

// NewCondition makes a condition of the lock.
func (l *Lock) NewCondition() (carrier.Condition, error) { return &Condition{lock: l}, nil }

// releaseContended is Release while goroutines wait, and Abandon. The mark is abandoned, or 0.
func (l *Lock) releaseContended(token, mark uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		v := l.state.Load()
		if v&^contended != token*tokenUnit|held {
			return false
		}
		w := l.waiters.first()
		switch {
		case w == nil:
			if l.state.CompareAndSwap(v, v&^held|mark) {
				return true
			}
		case w.overdue():
			if !l.state.CompareAndSwap(v, v+tokenUnit) {
				continue
			}
			w.value = carrier.Grant{Token: token + 1, Abandoned: mark != 0}
			l.dequeue(w)
			w.signal()
			return true
		case l.state.CompareAndSwap(v, v&^held|mark):
			w.signal()
			return true
		}
	}
}

// Holds reports whether the acquisition with that token has not ended.
func (l *Lock) Holds(token uint64) bool {
	return l.state.Load()&^contended == token*tokenUnit|held
}

// Held is the pid of this process, and whether the lock is held.
func (l *Lock) Held() (int, bool) {
	if l.state.Load()&held == 0 {
		return 0, false
	}
	return pid, true
}
