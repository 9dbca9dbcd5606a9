package mp

import (
	"context"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/errtext"
	"github.com/gomultiprocessing/mp/internal/shared"
)

// Semaphore hands out a number of permits to the goroutines of all processes that have it, as Python's
// multiprocessing.Semaphore and BoundedSemaphore. There are never more Holds than permits.
//
// When a process dies, the permits that it held are back: within some milliseconds when its
// parent lives, otherwise within 20 to 40. A stopped process (SIGSTOP) keeps its own.
//
// A free permit goes to whichever goroutine asks first. Once a waiter has waited for a millisecond, the next
// permit that comes back is kept for the longest waiter of all processes. So no waiter starves. A waiter that
// does not take its permit within 20 ms, because its process is stopped, is passed over until it goes on.
//
// A Semaphore is shareable as a Lock is. Its methods are safe for concurrent use.
type Semaphore struct {
	_       [0]sync.Mutex // a Semaphore must not be copied
	carrier carrier.Semaphore
	closed  atomic.Bool // this handle was closed
}

// NewSemaphore makes a Semaphore with the given number of permits, which may be 0. It takes a descriptor
// and some pages of memory, does not wait, and costs some 20 microseconds.
//
// The error is ErrNoMain before Main; fs.ErrInvalid when permits is negative or
// over 2,147,483,647; the system's when there are no descriptors; errors.ErrUnsupported elsewhere
// than on Linux.
func NewSemaphore(permits int) (*Semaphore, error) { return newSemaphore(permits, false) }

// NewBoundedSemaphore is NewSemaphore with a bound: a Release that would make more permits available than at
// the beginning is ErrFull.
func NewBoundedSemaphore(permits int) (*Semaphore, error) { return newSemaphore(permits, true) }

func newSemaphore(permits int, bounded bool) (*Semaphore, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	if permits < 0 || permits > carrier.MaxPermits {
		return nil, errtext.Errorf("mp: a semaphore of %d permits: %w: it may have 0 to %d", permits, fs.ErrInvalid, carrier.MaxPermits)
	}
	c, err := shared.NewSemaphore(permits, bounded)
	if err != nil {
		return nil, err
	}
	return listed(&Semaphore{carrier: c}), nil
}

func (s *Semaphore) made() bool { return s != nil && s.carrier != nil && !s.closed.Load() }

// open is for methods that return no error: nil if the handle was closed.
func (s *Semaphore) open() carrier.Semaphore {
	switch {
	case s == nil || s.carrier == nil:
		panic(notMade("Semaphore"))
	case s.closed.Load():
		return nil
	}
	return s.carrier
}

// permit is one that is held.
type permit struct {
	of   carrier.Semaphore
	gone atomic.Bool
}

func (p *permit) release(token uint64) error {
	if !p.gone.CompareAndSwap(false, true) {
		return ErrNotOwner
	}
	err := p.of.Return(token)
	if err != nil {
		p.gone.Store(false)
	}
	return err
}

// Acquire takes a permit. It waits until there is one, or until ctx ends; a goroutine that
// waits costs no thread. When there is one, it costs some 100 nanoseconds, and a few more
// for each process of the program.
//
// The error is ctx's, also when ctx was done at entry, and then no permit was taken.
func (s *Semaphore) Acquire(ctx context.Context) (Hold, error) {
	needCtx(ctx, "Semaphore.Acquire")
	if !s.made() {
		return Hold{}, s.Err()
	}
	g, err := s.carrier.Acquire(ctx)
	if err != nil {
		return Hold{}, errtext.Errorf("mp: Semaphore.Acquire: %w", err)
	}
	return s.held(g), nil
}

// TryAcquire takes a permit if one is available. It does not wait for permits. It may return false while the
// last permit is being handed to a waiter. If a process was stopped in the middle of acquiring, TryAcquire
// waits up to 50 ms for it and then returns false.
func (s *Semaphore) TryAcquire() (Hold, bool) {
	c := s.open()
	if c == nil {
		return Hold{}, false
	}
	g, ok := c.TryAcquire()
	if !ok {
		return Hold{}, false
	}
	return s.held(g), true
}

func (s *Semaphore) held(g carrier.Grant) Hold {
	return Hold{of: &permit{of: s.carrier}, token: g.Token}
}

// Release adds n permits that no Hold stands for, as Python's release does: what was
// acquired is given back by Hold.Release instead. It does not wait for permits.
//
// The error is fs.ErrInvalid when n is less than 1 (Python: ValueError), or when there would be
// more than 2,147,483,647 permits; between processes those that are held count, too. For a bounded
// semaphore it is ErrFull, and nothing was added, when more permits would be available than
// at the beginning; and after a Release that took the place of a Hold, that Hold's
// Release is ErrFull for the same reason, and it stays held.
func (s *Semaphore) Release(n int) error {
	if !s.made() {
		return s.Err()
	}
	if n < 1 {
		return errtext.Errorf("mp: Semaphore.Release of %d permits: %w", n, fs.ErrInvalid)
	}
	return s.carrier.Release(n)
}

// Available is how many permits nobody holds at the moment; dead processes hold none. It
// does not wait for permits, and costs a system call for each process that holds some.
func (s *Semaphore) Available() int {
	if c := s.open(); c != nil {
		return c.Available()
	}
	return 0
}

// Err is nil, or why the semaphore cannot be used through this handle: it is ErrClosed after Close, and ErrLost
// when what holds the semaphore is gone. It does not wait. A method without an error has answered zero then.
func (s *Semaphore) Err() error {
	if s == nil {
		return notMade("Semaphore")
	}
	return errOf("Semaphore", s.carrier, &s.closed)
}

// Close lets go of this handle at once, with its descriptor if it was the last one of this process; the
// garbage collector does the same later. Other handles, here and elsewhere, stay as they are. Methods answer
// ErrClosed from now on, or zero, while calls that wait go on, and a Hold can still be released.
// Closing again does nothing. It does not wait, and the error is nil for what NewSemaphore has made.
func (s *Semaphore) Close() error {
	if s == nil {
		return nil
	}
	return closeHandle(s.carrier, &s.closed)
}

func (s *Semaphore) share(b *codec.Buffer) error {
	return shareCarrier(b, "Semaphore", s.carrier, &s.closed)
}

func (s *Semaphore) adopt(k carrier.Kind, r *codec.Reader) error {
	return adoptCarrier(&s.carrier, k, r)
}

func (s *Semaphore) list() { list(s) }
