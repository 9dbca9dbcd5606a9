package shared

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gomultiprocessing/mp/internal/carrier"
	"github.com/gomultiprocessing/mp/internal/proctable"
	"github.com/gomultiprocessing/mp/internal/shm"
	"github.com/gomultiprocessing/mp/internal/waitq"
)

// Semaphore is a number of permits.
//
// Its memory, from the start of the state: at 0 how many permits exist, at 8 the number of the
// last acquisition, at 16 the successor, at 64 the latch of acquisitions. The first word of a
// process's row has its ID in the high half, and how many permits it has in the low half. A row
// with the ID of a dead process counts for nothing, so the permits of the dead are back as soon as
// the death is known: how many are available is recorded nowhere.
//
// Acquiring commits by one store, into the own row, and only under the latch: so no more permits
// are out than exist. Giving back commits by one store, too, and needs no latch.
//
// A goroutine that comes as a permit is free may take it. But as soon as a goroutine has waited
// for more than a millisecond, one of the next permits is for the process that has waited longest,
// the successor: its ID is in the high half of the word, and since when in milliseconds in the low
// half.
type Semaphore struct {
	object    *waitq.Object
	total     *atomic.Uint64
	token     *atomic.Uint64
	successor *atomic.Uint64
	latch     waitq.Latch
	initial   uint64
	bounded   bool
	waiters   *waitq.Queue
	edge      raceEdge
}

// semaphoreLatchTimeout is how long a goroutine waits for a latch when there is no ctx to end it.
const semaphoreLatchTimeout = 50 * time.Millisecond

func semaphoreShape(initial uint64, bounded bool) waitq.Shape {
	p := [4]uint64{initial, 0}
	if bounded {
		p[1] = 1
	}
	return waitq.Shape{Name: "semaphore", Kind: kindSemaphore, Params: p}
}

// NewSemaphore makes a semaphore with that many permits.
func NewSemaphore(permits int, bounded bool) (*Semaphore, error) {
	if permits < 0 || permits > carrier.MaxPermits {
		return nil, fmt.Errorf("%d permits", permits)
	}
	o, err := waitq.NewObject(semaphoreShape(uint64(permits), bounded), semaphoreCore)
	if err != nil {
		return nil, err
	}
	s := o.Core().(*Semaphore)
	s.total.Store(uint64(permits))
	return s, nil
}

// OpenSemaphore returns the semaphore that another process has sent.
func OpenSemaphore(f *os.File) (*Semaphore, error) {
	shape := func(p [4]uint64) (waitq.Shape, error) {
		if p[0] > carrier.MaxPermits || p[1] > 1 {
			return waitq.Shape{}, fmt.Errorf("a semaphore of %d permits", p[0])
		}
		return semaphoreShape(p[0], p[1] == 1), nil
	}
	o, err := waitq.OpenObject(f, kindSemaphore, shape, semaphoreCore)
	if err != nil {
		return nil, err
	}
	return o.Core().(*Semaphore), nil
}

func semaphoreCore(o *waitq.Object) any {
	s := &Semaphore{
		object: o, total: o.Word(waitq.StateAt), token: o.Word(waitq.StateAt + 8), successor: o.Word(waitq.StateAt + 16),
		latch: waitq.NewLatch(o.Word(waitq.StateAt + 64)), initial: o.Param(0), bounded: o.Param(1) == 1,
	}
	s.waiters = waitq.NewQueue(o, 0, s.ready).WithHolder(func() proctable.ID { return 0 })
	return s
}

// File is what another process needs to open the semaphore.
func (s *Semaphore) File() *os.File { return s.object.File() }

// TryAcquire takes a permit if one is free. The token is the acquisition's number.
func (s *Semaphore) TryAcquire() (carrier.Grant, bool) {
	token, ok, _ := s.try(context.Background(), false, false)
	runtime.KeepAlive(s)
	return carrier.Grant{Token: token}, ok
}

// Acquire takes a permit. It waits for one until ctx ends. The token is the acquisition's number.
func (s *Semaphore) Acquire(ctx context.Context) (carrier.Grant, error) {
	if err := ctx.Err(); err != nil {
		return carrier.Grant{}, err
	}
	token, ok, err := s.try(ctx, true, false)
	if !ok && err == nil {
		token, err = s.wait(ctx)
	}
	runtime.KeepAlive(s)
	return carrier.Grant{Token: token}, err
}

// wait is Acquire for a goroutine that did not get a permit at once.
func (s *Semaphore) wait(ctx context.Context) (token uint64, err error) {
	var failed error
	err = s.waiters.Wait(ctx, func(first bool) (ok bool) {
		token, ok, failed = s.try(ctx, true, first)
		return ok || failed != nil
	})
	if failed != nil {
		err = failed
	}
	if err != nil || !s.waiters.IsWaiting(proctable.Me()) {
		s.decline()
	}
	return token, err
}

// try takes a permit if it may. The goroutine of this process that has waited longest takes it as
// its successor, too. If it may not block, it gives up soon when a process is stopped while it has
// the latch.
func (s *Semaphore) try(ctx context.Context, blocking, first bool) (token uint64, ok bool, err error) {
	if s.usable(first, proctable.Alive) <= 0 {
		return 0, false, nil
	}
	if !blocking {
		if !s.lockLatch() {
			return 0, false, nil
		}
	} else if err := s.latch.Lock(ctx); err != nil {
		return 0, false, err
	}
	defer s.latch.Unlock()
	shm.Point("semaphore.latched")
	s.trimToBound()
	if s.usable(first, proctable.Alive) <= 0 {
		return 0, false, nil
	}
	s.edge.acquire()
	token = s.token.Add(1)
	shm.Point("semaphore.numbered")
	mine, me := s.object.OwnRow(0), uint64(proctable.Me())
	if mine.Load()>>32 == me {
		mine.Add(1)
	} else {
		mine.Store(me<<32 | 1) // the process that had the row before is dead
	}
	shm.Point("semaphore.taken")
	if successor := s.successor.Load(); first && successor>>32 == me {
		s.successor.CompareAndSwap(successor, 0)
	}
	shm.Point("semaphore.succeeded")
	if shm.Invariants {
		s.check()
	}
	return token, true, nil
}

// lockLatch takes the latch, or gives up after a moment.
func (s *Semaphore) lockLatch() bool {
	if s.latch.TryLock() {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), semaphoreLatchTimeout)
	defer cancel()
	return s.latch.Lock(ctx) == nil
}

// counts is how many permits exist, and how many of them living processes have.
func (s *Semaphore) counts(alive func(proctable.ID) bool) (total, held int) {
	total = int(s.total.Load())
	for slot := range s.object.UsedSlots() {
		row := s.object.Row(slot, 0).Load()
		if n := int(row & ownerMask); n > 0 && alive(proctable.ID(row>>32)) {
			held += n
		}
	}
	return total, held
}

// available is the number of permits that nobody has.
func (s *Semaphore) available(alive func(proctable.ID) bool) int {
	total, held := s.counts(alive)
	n := total - held
	if s.bounded {
		n = min(n, int(s.initial))
	}
	return n
}

// usable is available, less what is kept for another process that is the successor.
func (s *Semaphore) usable(first bool, alive func(proctable.ID) bool) int {
	n := s.available(alive)
	if n <= 0 {
		return n
	}
	successor := s.successor.Load()
	id := proctable.ID(successor >> 32)
	if id == 0 || first && id == proctable.Me() || !alive(id) {
		return n
	}
	if kept := uint32(shm.Now()/int64(time.Millisecond)) - uint32(successor); time.Duration(kept)*time.Millisecond >= successorTimeout {
		return n
	}
	return n - 1
}

// trimToBound drops permits that came back from the dead beyond the bound. The latch is held.
func (s *Semaphore) trimToBound() {
	if !s.bounded {
		return
	}
	total, held := s.counts(proctable.Alive)
	if total-held > int(s.initial) {
		s.total.CompareAndSwap(uint64(total), uint64(held)+s.initial)
		shm.Point("semaphore.trimmed")
	}
}

// ready is what the wait queue asks: how many waiters have a reason to try.
func (s *Semaphore) ready(probe bool) int {
	if probe {
		return s.usable(true, proctable.ProbeCached)
	}
	return s.usable(true, proctable.Alive)
}

// Return gives back the permit of an acquisition of this process, once for each.
func (s *Semaphore) Return(uint64) error {
	defer runtime.KeepAlive(s)
	s.edge.release()
	if s.bounded {
		if s.lockLatch() {
			defer s.latch.Unlock()
		}
		if s.available(proctable.Alive) >= int(s.initial) {
			return carrier.ErrTooManyPermits
		}
	}
	s.object.OwnRow(0).Add(^uint64(0))
	shm.Point("semaphore.returned")
	s.wakeWaiters(1)
	return nil
}

// Release adds n permits.
func (s *Semaphore) Release(n int) error {
	defer runtime.KeepAlive(s)
	if n < 1 {
		return fmt.Errorf("%d permits to release", n)
	}
	s.edge.release()
	if s.bounded {
		if s.lockLatch() {
			defer s.latch.Unlock()
		}
		s.trimToBound()
		if n > int(s.initial)-s.available(proctable.Alive) {
			return carrier.ErrTooManyPermits
		}
	}
	for {
		total := s.total.Load()
		if n > carrier.MaxPermits-int(min(total, carrier.MaxPermits)) {
			return fmt.Errorf("mp: Semaphore.Release: there would be more than %d permits: %w", carrier.MaxPermits, fs.ErrInvalid)
		}
		if s.total.CompareAndSwap(total, total+uint64(n)) {
			break
		}
	}
	shm.Point("semaphore.released")
	s.wakeWaiters(n)
	return nil
}

// wakeWaiters wakes waiters for n permits that have come back. A process that has waited for long
// becomes the successor.
func (s *Semaphore) wakeWaiters(n int) {
	if !s.waiters.HasWaiters() {
		return
	}
	if id, since, ok := s.waiters.Oldest(); ok && shm.Now()-since >= int64(handoffAfter) && proctable.Alive(id) {
		shm.Point("semaphore.oldest")
		s.nameSuccessor(id)
	}
	shm.Point("semaphore.successor")
	s.waiters.Wake(n) // the successor has waited longest, so it is among them
}

// nameSuccessor makes a process the successor, unless there is one.
func (s *Semaphore) nameSuccessor(id proctable.ID) {
	now := uint64(uint32(shm.Now() / int64(time.Millisecond)))
	successor := s.successor.Load()
	if successor == 0 || !proctable.Alive(proctable.ID(successor>>32)) || time.Duration(uint32(now)-uint32(successor))*time.Millisecond >= successorTimeout {
		mine := uint64(id)<<32 | now
		if s.successor.CompareAndSwap(successor, mine) && !s.waiters.IsWaiting(id) {
			s.successor.CompareAndSwap(mine, 0) // it had its permit meanwhile, and may not have seen this
		}
	}
}

// decline gives up being the successor when no goroutine of this process waits any more.
func (s *Semaphore) decline() {
	if successor := s.successor.Load(); proctable.ID(successor>>32) == proctable.Me() && s.successor.CompareAndSwap(successor, 0) {
		s.waiters.Wake(1)
	}
}

// Available is the number of permits that nobody has at the moment.
func (s *Semaphore) Available() int {
	defer runtime.KeepAlive(s)
	if s.lockLatch() {
		defer s.latch.Unlock()
	}
	return max(0, s.available(proctable.Probe))
}

// check panics if more permits are out than exist. The latch is held.
func (s *Semaphore) check() {
	if total, held := s.counts(proctable.Alive); held > total {
		panic(fmt.Sprintf("shared: semaphore %d: %d permits of %d are out", s.object.Number(), held, total))
	}
}
