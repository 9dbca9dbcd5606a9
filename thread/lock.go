package thread

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/key"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// NewLock makes an mp.Lock that nobody has, for goroutines of this process. It is Python's
// threading.Lock, with everything that mp.Lock promises. It does not wait, costs some ten
// nanoseconds and no descriptor, and needs no mp.Main. The error is always nil: it is there
// so that a program moves to mp.NewLock and back by the name of the package alone.
//
// A Hold of it is never Abandoned: no goroutine dies and leaves the program behind. One that
// panics or ends while it holds the lock goes on holding it, so release by defer, or use Do.
// Owner is this process. Nobody looks for deadlocks among goroutines: a wait that ends with
// its ctx says only that another goroutine has the lock.
//
// In the input of a process, or in a message to one, it is an error: use mp.NewLock.
func NewLock() (*mp.Lock, error) { return mp.CarryLock(key.Key{}, newLock()), nil }

// lock is a lock of one goroutine at a time.
//
// Its state is one word: whether it is held, whether somebody waits, and above these the
// token of the last acquisition. So acquiring is one exchange, and so is giving back what
// has that token, and nothing else. While somebody waits, giving back goes by the mutex.
//
// Who comes just as the lock is free may take it, which is fast: who is woken needs a while
// to run. But one who has waited for a millisecond is handed the lock, and it is not free
// in between.
type lock struct {
	state  atomic.Uint64
	mu     sync.Mutex // of the line, and of setting and clearing contended
	line   sleepers[uint64]
	number uint64
}

const (
	held      = 1
	contended = 2
	tokenUnit = 4
)

var (
	pid      = os.Getpid()
	lastLock atomic.Uint64
)

func newLock() *lock { return &lock{number: lastLock.Add(1)} }

// Number is the lock's number in this process.
func (l *lock) Number() uint64 { return l.number }

// TryAcquire takes the lock if it is free.
func (l *lock) TryAcquire() (shared.Grip, bool) {
	for {
		v := l.state.Load()
		if v&held != 0 {
			return shared.Grip{}, false
		}
		if l.state.CompareAndSwap(v, v+tokenUnit|held) {
			return shared.Grip{Token: v/tokenUnit + 1}, true
		}
	}
}

// Acquire takes the lock, and waits for it until ctx ends.
func (l *lock) Acquire(ctx context.Context) (shared.Grip, error) {
	if err := ctx.Err(); err != nil {
		if _, held := l.Held(); held { // as if ctx had ended a moment later
			err = fmt.Errorf("mp: %w", inTheWay(err))
		}
		return shared.Grip{}, err
	}
	if g, ok := l.TryAcquire(); ok {
		return g, nil
	}
	g, err := l.wait(ctx)
	if err != nil {
		return shared.Grip{}, errtext.Errorf("mp: %w", err)
	}
	return g, nil
}

// inTheWay says why a wait ended with its ctx.
func inTheWay(err error) error {
	return fmt.Errorf("another goroutine of this process has the lock: %w", err)
}

// relock is Acquire for who had the lock, and words the error for who says what it was for.
func (l *lock) relock(ctx context.Context) (shared.Grip, error) {
	if err := ctx.Err(); err != nil {
		return shared.Grip{}, err
	}
	if g, ok := l.TryAcquire(); ok {
		return g, nil
	}
	return l.wait(ctx)
}

// wait is Acquire for one who did not get the lock at once.
func (l *lock) wait(ctx context.Context) (shared.Grip, error) {
	w := l.line.sleeper(0)
	defer l.line.done(w)
	l.mu.Lock()
	l.line.push(w)
	l.state.Or(contended)
	for {
		if w.has != 0 {
			l.mu.Unlock()
			return shared.Grip{Token: w.has}, nil
		}
		if g, ok := l.TryAcquire(); ok {
			l.leave(w)
			l.mu.Unlock()
			return g, nil
		}
		if err := ctx.Err(); err != nil {
			l.leave(w) // whoever has the lock wakes the next
			l.mu.Unlock()
			return shared.Grip{}, inTheWay(err)
		}
		l.mu.Unlock()
		w.rest(ctx)
		l.mu.Lock()
	}
}

// leave takes a waiter out of the line.
func (l *lock) leave(w *sleeper[uint64]) {
	if l.line.remove(w); l.line.first == nil {
		l.state.And(^uint64(contended))
	}
}

// Release ends the acquisition with that token; false if it has ended already.
func (l *lock) Release(token uint64) bool {
	v := token*tokenUnit | held
	return token != 0 && (l.state.CompareAndSwap(v, v&^held) || l.pass(token))
}

// pass is Release while somebody waits.
func (l *lock) pass(token uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		v := l.state.Load()
		if v&^contended != token*tokenUnit|held {
			return false
		}
		w := l.line.first
		switch {
		case w == nil:
			if l.state.CompareAndSwap(v, v&^held) {
				return true
			}
		case w.patient():
			if !l.state.CompareAndSwap(v, v+tokenUnit) {
				continue
			}
			w.has = token + 1
			l.leave(w)
			w.call()
			return true
		case l.state.CompareAndSwap(v, v&^held):
			w.call()
			return true
		}
	}
}

// Holds says whether the acquisition with that token has not ended.
func (l *lock) Holds(token uint64) bool {
	return l.state.Load()&^contended == token*tokenUnit|held
}

// Held is the pid of this process, if the lock is held.
func (l *lock) Held() (int, bool) {
	if l.state.Load()&held == 0 {
		return 0, false
	}
	return pid, true
}
