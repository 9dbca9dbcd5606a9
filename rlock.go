package mp

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// RLock is a lock that its owner may acquire again, as Python's multiprocessing.RLock.
// Goroutines have no identity, so the ctx that Acquire returns identifies the owner: acquiring under it, or
// under a ctx made from it, nests. Goroutines that share that ctx share the lock; it does not exclude them
// from each other. A ctx never leaves its process, so another process is always another owner.
//
// The lock is free when every Hold was released, in any order. After that the ctx identifies no owner any more, and
// acquiring under it acquires anew.
//
// In all else it is like a Lock: order, the death of an owner, sharing, concurrent use.
type RLock struct {
	_       [0]sync.Mutex // an RLock must not be copied
	carrier carrier.RLock
	closed  atomic.Bool // this handle was closed
}

// NewRLock makes a free RLock. It costs what NewLock costs and has its errors.
func NewRLock() (*RLock, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	c, err := shared.NewLock()
	if err != nil {
		return nil, err
	}
	return listed(&RLock{carrier: c}), nil
}

func (l *RLock) made() bool { return l != nil && l.carrier != nil && !l.closed.Load() }

// open is for methods that return no error: nil if the handle was closed.
func (l *RLock) open() carrier.RLock {
	switch {
	case l == nil || l.carrier == nil:
		panic(notMade("RLock"))
	case l.closed.Load():
		return nil
	}
	return l.carrier
}

// tenure is the time from the first acquisition to the last release. In a ctx it is found by
// the RLock's carrier.
type tenure struct {
	lock  carrier.Lock
	grant carrier.Grant
	mu    sync.Mutex
	holds int
	away  bool       // one that holds it waits for a Condition, and the lock is not held
	first tenureHold // of the acquisition that began it
}

// OwnOfCtx implements task.Own: a task does not have the lock that its caller has.
func (*tenure) OwnOfCtx() {}

// again is one more hold of a tenure that is not over.
func (t *tenure) again() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holds == 0 || t.away {
		return false
	}
	t.holds++
	return true
}

// tenureHold is one acquisition of a tenure.
type tenureHold struct {
	of   *tenure
	gone atomic.Bool
}

// hold is what its owner gets.
func (h *tenureHold) hold() Hold {
	return Hold{of: h, token: h.of.grant.Token, abandoned: h.of.grant.Abandoned}
}

func (h *tenureHold) release(uint64) error {
	if !h.gone.CompareAndSwap(false, true) {
		return ErrNotOwner
	}
	t := h.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holds == 0 {
		return ErrNotOwner // a wait for a Condition has lost it
	}
	if t.holds--; t.holds == 0 && !t.away {
		return t.lock.Release(t.grant.Token)
	}
	return nil
}

// token is that of the lock's acquisition; false if the hold does not own it at the moment.
func (h *tenureHold) token() (uint64, bool) {
	t := h.of
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.grant.Token, t.holds > 0 && !t.away && !h.gone.Load()
}

// wait spends the hold, and gives the lock up however often it is held, until wait has it again. Then
// a new hold takes the place of this one, and the others hold as before. If wait fails none of them
// holds any more.
func (h *tenureHold) wait(wait func(token uint64) (carrier.Grant, error)) (Hold, error) {
	t := h.of
	t.mu.Lock()
	if t.holds == 0 || t.away || !h.gone.CompareAndSwap(false, true) {
		t.mu.Unlock()
		return Hold{}, ErrNotOwner
	}
	t.away = true
	token := t.grant.Token
	t.mu.Unlock()
	back := false
	var g carrier.Grant
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.away = false
		if t.grant = g; !back {
			t.holds = 0
		}
	}()
	g, err := wait(token)
	if err != nil {
		return Hold{}, err
	}
	back = true
	return Hold{of: &tenureHold{of: t}, token: g.Token, abandoned: g.Abandoned}, nil
}

// Acquire takes the lock, or nests if ctx says that it is owned already. Otherwise it waits
// while another has it, until ctx ends. The returned ctx is the owner's: it has the values, the
// deadline and the end of the given one. On an error it is the given one.
//
// Nested Holds have the same Token, and are Abandoned alike. A nested Acquire does not wait and
// costs some 50 nanoseconds. The error is as that of Lock.Acquire.
func (l *RLock) Acquire(ctx context.Context) (context.Context, Hold, error) {
	needCtx(ctx, "RLock.Acquire")
	if !l.made() {
		return ctx, Hold{}, l.Err()
	}
	if ctx.Err() != nil { // nested or not, nothing is taken
		_, err := l.carrier.Acquire(ctx)
		return ctx, Hold{}, err
	}
	if h, ok := l.nest(ctx); ok {
		return ctx, h, nil
	}
	g, err := l.carrier.Acquire(ctx)
	if err != nil {
		return ctx, Hold{}, err
	}
	ctx, h := l.begin(ctx, g)
	return ctx, h, nil
}

// TryAcquire takes the lock, or nests, if that is possible at once. It does not wait. Under a
// ctx that is done it is false.
func (l *RLock) TryAcquire(ctx context.Context) (context.Context, Hold, bool) {
	needCtx(ctx, "RLock.TryAcquire")
	c := l.open()
	if c == nil || ctx.Err() != nil {
		return ctx, Hold{}, false
	}
	if h, ok := l.nest(ctx); ok {
		return ctx, h, true
	}
	g, ok := c.TryAcquire()
	if !ok {
		return ctx, Hold{}, false
	}
	ctx, h := l.begin(ctx, g)
	return ctx, h, true
}

// nest is one more hold of the tenure that ctx is under; false if there is none.
func (l *RLock) nest(ctx context.Context) (Hold, bool) {
	t, _ := ctx.Value(l.carrier).(*tenure)
	if t == nil || !t.again() {
		return Hold{}, false
	}
	h := &tenureHold{of: t}
	return h.hold(), true
}

func (l *RLock) begin(ctx context.Context, g carrier.Grant) (context.Context, Hold) {
	t := &tenure{lock: l.carrier, grant: g, holds: 1}
	t.first.of = t
	return context.WithValue(ctx, l.carrier, t), t.first.hold()
}

// Locked says whether somebody has the lock at the moment. It does not wait, and costs a
// system call.
func (l *RLock) Locked() bool {
	c := l.open()
	if c == nil {
		return false
	}
	_, held := c.Held()
	return held
}

// Err is nil, or why the lock cannot be used through this handle: it is ErrClosed after Close, and ErrLost
// when what holds the lock is gone. It does not wait. A method without an error has answered zero then.
func (l *RLock) Err() error {
	if l == nil {
		return notMade("RLock")
	}
	return errOf("RLock", l.carrier, &l.closed)
}

// Close lets go of this handle at once, with its descriptor if it was the last one of this process; the
// garbage collector does the same later. Other handles, here and elsewhere, stay as they are. Methods answer
// ErrClosed from now on, or zero, while calls that wait go on, and a Hold can still be released.
// Closing again does nothing. It does not wait, and the error is nil for what NewRLock has made.
func (l *RLock) Close() error {
	if l == nil {
		return nil
	}
	return closeHandle(l.carrier, &l.closed)
}

func (l *RLock) share(b *codec.Buffer) error { return shareCarrier(b, "RLock", l.carrier, &l.closed) }

func (l *RLock) adopt(k carrier.Kind, r *codec.Reader) error { return adoptCarrier(&l.carrier, k, r) }

func (l *RLock) list() { list(l) }
