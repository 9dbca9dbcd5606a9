package shared

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Lock is a lock with one owner at a time.
//
// Its memory, from the start of the state: at 0 the owner, an ID in the low half, and in the high
// half the successor; at 64 the token, which is odd while the lock is held, and grows by one with
// each acquisition and each release.
//
// An acquisition is complete, and what the lock guards may be touched, once the token is odd. So a
// lock whose owner is dead was abandoned if its token is odd, and is merely free if it is even.
//
// A goroutine that comes just as the lock is free may take it, which is fast. But as soon as a
// goroutine has waited for more than a millisecond, a release makes the process that has waited
// longest the successor, and no other can take the lock before that one.
type Lock struct {
	object  *waitq.Object
	word    *atomic.Uint64
	token   *atomic.Uint64
	waiters *waitq.Queue
	edge    raceEdge

	// An successor that does not take the lock, because it is stopped or has lost interest, is
	// passed over: what was seen of it, and since when.
	lastFree, lastFreeAt atomic.Uint64
}

const (
	// handoffAfter is how long a goroutine waits before no other is let past.
	handoffAfter = time.Millisecond
	// successorTimeout is how long a free lock is kept for its successor.
	successorTimeout = 20 * time.Millisecond

	ownerMask = 1<<32 - 1
)

var lockShape = waitq.Shape{Name: "lock", Kind: kindLock}

// NewLock makes a lock.
func NewLock() (*Lock, error) {
	o, err := waitq.NewObject(lockShape, lockCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Lock), nil
}

// OpenLock returns the lock that another process has sent.
func OpenLock(f *os.File) (*Lock, error) {
	o, err := waitq.OpenObject(f, kindLock, func([4]uint64) (waitq.Shape, error) { return lockShape, nil }, lockCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Lock), nil
}

func lockCore(o *waitq.Object) any { return newLock(o, waitq.StateAt, 0) }

// newLock returns the lock whose memory is at an offset of an object.
func newLock(o *waitq.Object, at, queue int) *Lock {
	l := &Lock{object: o, word: o.Word(at), token: o.Word(at + 64)}
	l.waiters = waitq.NewQueue(o, queue, l.ready).WithHolder(l.holder)
	o.SetOwnerQueue(l.waiters)
	return l
}

// File is what another process needs to open the lock.
func (l *Lock) File() *os.File { return l.object.File() }

// Number is the lock's number in its program.
func (l *Lock) Number() uint64 { return l.object.Number() }

// TryAcquire acquires the lock if that is possible at once.
func (l *Lock) TryAcquire() (carrier.Grant, bool) {
	g, ok := l.try(false)
	runtime.KeepAlive(l)
	return g, ok
}

// Acquire acquires the lock. It waits until ctx ends.
func (l *Lock) Acquire(ctx context.Context) (g carrier.Grant, err error) {
	if err := ctx.Err(); err != nil {
		err = l.blockedError(err) // as if ctx had ended a moment later
		runtime.KeepAlive(l)
		return carrier.Grant{}, err
	}
	g, ok := l.try(false)
	if !ok {
		g, err = l.wait(ctx)
	}
	runtime.KeepAlive(l)
	return g, err
}

// wait is Acquire for a goroutine that did not get the lock at once.
func (l *Lock) wait(ctx context.Context) (g carrier.Grant, err error) {
	err = l.waiters.Wait(ctx, func(first bool) (ok bool) {
		g, ok = l.try(first)
		return ok
	})
	if err != nil {
		err = l.blockedError(err)
	}
	if err != nil || !l.waiters.IsWaiting(proctable.Me()) {
		l.decline()
	}
	return g, err
}

// try takes the lock if it may. The goroutine of this process that has waited longest takes it as
// its successor, too.
func (l *Lock) try(first bool) (carrier.Grant, bool) {
	me := uint64(proctable.Me())
	if !l.word.CompareAndSwap(0, me) && !l.tryContended(me, first) {
		return carrier.Grant{}, false
	}
	shm.Point("lock.owned")
	l.edge.acquire()
	before := l.token.Load()
	g := carrier.Grant{Token: (before+1)/2 + 1, Abandoned: before&1 != 0}
	l.token.Store(2*g.Token - 1)
	shm.Point("lock.held")
	if shm.Invariants {
		l.check(g)
	}
	return g, true
}

// check panics if a lock that was just acquired is not held.
func (l *Lock) check(g carrier.Grant) {
	if word, token := l.word.Load(), l.token.Load(); word&ownerMask != uint64(proctable.Me()) || token != 2*g.Token-1 {
		panic(fmt.Sprintf("shared: lock %d: acquisition %d, but its words are %#x and %d", l.Number(), g.Token, word, token))
	}
}

// tryContended takes a lock that is not simply free.
func (l *Lock) tryContended(me uint64, first bool) bool {
	for {
		v := l.word.Load()
		owner, successor := proctable.ID(v&ownerMask), proctable.ID(v>>32)
		if owner != 0 && proctable.Alive(owner) {
			return false
		}
		if successor != 0 && !(first && uint64(successor) == me) && proctable.Alive(successor) && (owner != 0 || !l.successorOverdue(v)) {
			if owner != 0 && l.word.CompareAndSwap(v, uint64(successor)<<32) {
				l.waiters.WakeProcess(successor)
			}
			return false
		}
		if l.word.CompareAndSwap(v, me) {
			return true
		}
	}
}

// successorOverdue reports whether the lock has been free for its successor for too long.
func (l *Lock) successorOverdue(v uint64) bool {
	state := v ^ l.token.Load()<<1 // of this very release
	now := uint64(shm.Now())
	if l.lastFree.Load() != state {
		l.lastFreeAt.Store(now)
		l.lastFree.Store(state)
		return false
	}
	return int64(now-l.lastFreeAt.Load()) >= int64(successorTimeout)
}

// ready is what the wait queue asks: how many waiters have a reason to try.
func (l *Lock) ready(probe bool) int {
	alive := proctable.Alive
	if probe {
		alive = proctable.ProbeCached
	}
	v := l.word.Load()
	owner, successor := proctable.ID(v&ownerMask), proctable.ID(v>>32)
	switch {
	case owner != 0 && alive(owner):
		return 0
	case successor == 0 || successor == proctable.Me() || !alive(successor) || owner != 0 || l.successorOverdue(v):
		return 1
	}
	return 0
}

func (l *Lock) holder() proctable.ID { return proctable.ID(l.word.Load() & ownerMask) }

// decline gives up being the successor when no goroutine of this process waits any more.
func (l *Lock) decline() {
	v := l.word.Load()
	if proctable.ID(v>>32) == proctable.Me() && l.word.CompareAndSwap(v, v&ownerMask) && v&ownerMask == 0 {
		l.waiters.Wake(1)
	}
}

// Release ends the acquisition with that token. It is carrier.ErrNotOwner if that has ended
// before.
func (l *Lock) Release(token uint64) error {
	l.edge.release()
	if token == 0 || !l.token.CompareAndSwap(2*token-1, 2*token) {
		return carrier.ErrNotOwner
	}
	shm.Point("lock.released")
	l.unlock()
	runtime.KeepAlive(l)
	return nil
}

// unlock clears the owner, and wakes a waiter.
func (l *Lock) unlock() {
	successor := proctable.ID(l.word.And(^uint64(ownerMask)) >> 32)
	shm.Point("lock.free")
	switch {
	case successor != 0:
		l.waiters.WakeProcess(successor)
	case l.waiters.HasWaiters():
		l.handOff()
	}
}

// handOff wakes the process that has waited longest, and makes it the successor if that is too
// long.
func (l *Lock) handOff() {
	for {
		id, since, ok := l.waiters.Oldest()
		if !ok {
			return
		}
		if shm.Now()-since < int64(handoffAfter) {
			l.waiters.Wake(1)
			return
		}
		shm.Point("lock.oldest")
		if l.nameSuccessor(id) {
			return
		}
	}
}

// nameSuccessor makes a process the successor, and wakes it. It reports false if that was in vain:
// the process had the lock meanwhile, and waits no more. Either the process sees that it is the
// successor, or this one sees that it does not wait; see wait.
func (l *Lock) nameSuccessor(id proctable.ID) bool {
	successor := uint64(id) << 32
	for {
		v := l.word.Load()
		if v>>32 != 0 {
			return true // somebody else has seen to it
		}
		if l.word.CompareAndSwap(v, v|successor) {
			break
		}
	}
	shm.Point("lock.successor")
	for !l.waiters.IsWaiting(id) {
		v := l.word.Load()
		if v&^ownerMask != successor {
			return true
		}
		if l.word.CompareAndSwap(v, v&ownerMask) {
			return v&ownerMask != 0 // its owner wakes the next
		}
	}
	l.waiters.WakeProcess(id)
	return true
}

// Holds reports whether the acquisition with that token has not ended.
func (l *Lock) Holds(token uint64) bool {
	holds := token != 0 && l.token.Load() == 2*token-1
	runtime.KeepAlive(l)
	return holds
}

// Locked reports whether a process has the lock.
func (l *Lock) Locked() bool {
	_, held := l.Owner()
	return held
}

// Owner is the process that has the lock. A dead process has none.
func (l *Lock) Owner() (id proctable.ID, held bool) {
	id = l.holder()
	held = id != 0 && proctable.Probe(id)
	runtime.KeepAlive(l)
	return id, held
}

// Held is the pid of the process that has the lock, and whether one has it.
func (l *Lock) Held() (pid int, held bool) {
	id, held := l.Owner()
	if !held {
		return 0, false
	}
	pid, _, known := proctable.Describe(id)
	return pid, known
}
