package mp

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// Lock is a lock with one owner at a time among the goroutines of all processes that have it, as Python's
// multiprocessing.Lock. Acquiring it again while holding it waits until ctx ends: see RLock. Any goroutine
// that has the Hold may release it.
//
// When a process dies holding it, the lock goes to the next owner, whose Hold is Abandoned:
// within some milliseconds when the parent of the dead process lives, otherwise within
// 20 to 40. A stopped process (SIGSTOP) is not dead and keeps it.
//
// A free lock goes to whichever goroutine asks first. Once a waiter has waited for a millisecond, the lock is
// handed to the longest waiter of all processes, and no other gets past it. So no waiter starves. A
// waiter that does not take the lock within 20 ms, because its process is stopped, is passed over until it goes on.
//
// A Lock is shareable: inside the input or output of a Func, or inside a message of a
// queue or pipe, it arrives as the same lock, in the same state. It lives as long as some process has it.
// Its methods are safe for concurrent use. On a Lock that is nil or zero, methods that return an error
// return ErrClosed, and the others panic.
type Lock struct {
	_       [0]sync.Mutex // a Lock must not be copied
	carrier carrier.Lock
	closed  atomic.Bool // this handle was closed
}

// NewLock makes a free Lock. It takes a descriptor and some pages of memory,
// does not wait, and costs some 20 microseconds.
//
// The error is ErrNoMain before Main; the system's when there are no descriptors;
// errors.ErrUnsupported elsewhere than on Linux.
func NewLock() (*Lock, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	c, err := shared.NewLock()
	if err != nil {
		return nil, err
	}
	return listed(&Lock{carrier: c}), nil
}

func (l *Lock) made() bool { return l != nil && l.carrier != nil && !l.closed.Load() }

// open is for methods that return no error: nil if the handle was closed.
func (l *Lock) open() carrier.Lock {
	switch {
	case l == nil || l.carrier == nil:
		panic(notMade("Lock"))
	case l.closed.Load():
		return nil
	}
	return l.carrier
}

// Acquire takes the lock. It waits while somebody has it, until ctx ends; a
// goroutine that waits costs no thread. When it is free, it costs some 30 nanoseconds.
//
// The error is ctx's, also when ctx was done at entry, and then the lock was not taken. It
// names the process that has the lock. If that process waits in turn, directly or through
// others, for a lock that this process has, it is a *DeadlockError.
func (l *Lock) Acquire(ctx context.Context) (Hold, error) {
	needCtx(ctx, "Lock.Acquire")
	if !l.made() {
		return Hold{}, l.Err()
	}
	g, err := l.carrier.Acquire(ctx)
	if err != nil {
		return Hold{}, err
	}
	return Hold{of: l, token: g.Token, abandoned: g.Abandoned}, nil
}

// TryAcquire takes the lock if that is possible at once, as Python's acquire(block=False). It does not wait.
// It may return false while the lock is being handed to a waiter.
func (l *Lock) TryAcquire() (Hold, bool) {
	c := l.open()
	if c == nil {
		return Hold{}, false
	}
	g, ok := c.TryAcquire()
	if !ok {
		return Hold{}, false
	}
	return Hold{of: l, token: g.Token, abandoned: g.Abandoned}, true
}

func (l *Lock) release(token uint64) error {
	return l.carrier.Release(token)
}

// Locked reports whether the lock is held at the moment. A dead process holds nothing.
// It does not wait, and costs a system call.
func (l *Lock) Locked() bool {
	_, held := l.Owner()
	return held
}

// Owner is the pid of the process that has the lock, and whether one has it. It does not
// wait, and costs a system call.
func (l *Lock) Owner() (pid int, held bool) {
	if c := l.open(); c != nil {
		return c.Held()
	}
	return 0, false
}

// Do calls f while it holds the lock, and releases it whatever f does: it returns, panics
// or ends its goroutine. If f releases the Hold itself, or waits with it for a
// Condition, then what f holds in the end is f's to release. The error is
// f's, or that of Acquire, and then f was not called.
func (l *Lock) Do(ctx context.Context, f func(Hold) error) error {
	needCtx(ctx, "Lock.Do")
	h, err := l.Acquire(ctx)
	if err != nil {
		return err
	}
	defer h.Release()
	return f(h)
}

// Locker is the lock for code that wants a sync.Locker, such as sync.Cond. It ignores
// Abandoned, and its Lock waits without end. Each call makes a new one, and all of them are this
// lock; Unlock of a Locker panics when the last Lock of that same Locker is not held. It may be
// used by any number of goroutines.
func (l *Lock) Locker() sync.Locker {
	l.open()
	return &locker{lock: l}
}

type locker struct {
	lock  *Lock
	token atomic.Uint64
}

func (k *locker) Lock() {
	h, err := k.lock.Acquire(context.Background())
	if err != nil {
		panic(err)
	}
	k.token.Store(h.token)
}

func (k *locker) Unlock() {
	if k.lock.carrier.Release(k.token.Load()) != nil {
		panic("mp: Unlock of a Lock that is not locked")
	}
}

// Err is nil, or why the lock cannot be used through this handle: it is ErrClosed after Close, and ErrLost
// when what holds the lock is gone. It does not wait. A method without an error has answered zero then.
func (l *Lock) Err() error {
	if l == nil {
		return notMade("Lock")
	}
	return errOf("Lock", l.carrier, &l.closed)
}

// Close lets go of this handle at once, with its descriptor if it was the last one of this process; the
// garbage collector does the same later. Other handles, here and elsewhere, stay as they are. Methods answer
// ErrClosed from now on, or zero, while calls that wait go on, and a Hold can still be released.
// Closing again does nothing. It does not wait, and the error is nil for what NewLock has made.
func (l *Lock) Close() error {
	if l == nil {
		return nil
	}
	return closeHandle(l.carrier, &l.closed)
}

func (l *Lock) share(b *codec.Buffer) error { return shareCarrier(b, "Lock", l.carrier, &l.closed) }

func (l *Lock) adopt(k carrier.Kind, r *codec.Reader) error { return adoptCarrier(&l.carrier, k, r) }

func (l *Lock) list() { list(l) }
